# What "divio login" writes, which would show the token in the list of processes.
NETRC_PATH=$(mktemp)
export NETRC_PATH
echo "machine control.divio.com login ci password ${DIVIO_TOKEN:?is not set}" >"$NETRC_PATH"
deploy=(divio app deploy test --remote-id "$DIVIO_WEBSITE_ID")
"${deploy[@]}" | tee deployment.log
# Where a deployment was under way, it has only waited for that, perhaps of an older commit.
if grep --quiet attaching deployment.log; then "${deploy[@]}"; fi
