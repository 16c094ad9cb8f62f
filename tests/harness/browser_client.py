"""Runs the script on stdin with a page of a browser, in an environment that has Playwright."""

import sys

from playwright.sync_api import sync_playwright

# Chromium keeps root out of its sandbox, and would ask Google's servers for this and that.
OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]

with sync_playwright() as playwright:
    chromium, url = sys.argv[1:]
    browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
    page = browser.new_page()
    page.set_default_timeout(10_000)
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    names = {"browser": browser, "page": page, "messages": messages, "url": url}
    exec(sys.stdin.read(), names)
    browser.close()
