"""The blog of `make demo-blog`, as its visitors use it."""

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.harness.browser import complaints, obstacles, window
from tests.harness.processes import eventually

PASSWORD = "three other words"
REFUSED = "Failed to load resource: the server responded with a status of 403 (FORBIDDEN)"


def use(browser: Browser, site: str, screen: str, mails: Callable[[], str]) -> None:
    """Register, write, read, and meet what is not allowed, without being kept out anywhere.

    mails: returns the texts of all mails that were sent
    """
    with window(browser, site, screen) as context:
        page = context.new_page()
        said = complaints(page)
        email = f"{screen}@example.com"
        title = f"A post by {screen}"

        open_page(page, "/posts/")
        follow(page, "Log in")
        follow(page, "Register")
        before = links_in(mails())
        fill_in(page, "Register", {"Mail address": email})
        expect(page.get_by_role("status")).to_contain_text("A mail with a link is on its way")

        [link] = eventually(lambda: links_in(mails()) - before, "a mail with a link")
        open_page(page, link)
        fill_in(page, "Choose a password", {"New password": PASSWORD})
        expect(page.get_by_role("status")).to_contain_text("you are logged in")
        log_out(page)
        follow(page, "Log in")
        fill_in(page, "Log in", {"Mail address": email, "Password": PASSWORD})
        expect(page.locator(".lead")).to_have_text(email)

        follow(page, "Posts")
        follow(page, "New post")
        picture = {"name": "me.png", "mimeType": "image/png", "buffer": page.screenshot()}
        page.get_by_label("Picture", exact=True).set_input_files(picture)
        texts = {"Title": title, "Text": "Nothing new.", "What the picture shows": "A form"}
        fill_in(page, "New post", texts)
        expect(page.get_by_role("heading")).to_have_text(title)
        wait_for_picture(page, "A form")

        follow(page, "All posts")
        expect(page.get_by_role("listitem")).to_have_count(10)
        expect(page.get_by_role("listitem").first).to_contain_text(title)
        follow(page, "Older posts")
        expect(page.get_by_role("listitem")).to_have_count(10)
        follow(page, "Night by the lake")
        wait_for_picture(page, "A drawing: night by the lake")
        expect(page.get_by_role("link", name="Edit")).to_have_count(0)
        assert not said, said

        page.goto(f"{page.url}/edit")
        expect(page.get_by_role("heading")).to_have_text("Forbidden")
        has_no_obstacles(page)
        assert [text.partition(": ")[2] for text in said] == [REFUSED], said
        said.clear()

        follow(page, "Posts")
        follow(page, title)
        follow(page, "Edit")
        fill_in(page, "Edit post", {"Title": f"{title}, again"})
        expect(page.get_by_role("heading")).to_have_text(f"{title}, again")
        follow(page, "Account")
        log_out(page)
        open_page(page, "/posts/new")
        expect(page.get_by_role("heading")).to_have_text("Log in")
        assert not said, said


def has_no_obstacles(page: Page) -> None:
    found = obstacles(page)
    assert not found, "\n".join(found)


def open_page(page: Page, path: str) -> None:
    page.goto(path)
    has_no_obstacles(page)


def follow(page: Page, link: str) -> None:
    page.get_by_role("link", name=link, exact=True).click()
    page.wait_for_load_state()
    has_no_obstacles(page)


def fill_in(page: Page, button: str, fields: dict[str, str]) -> None:
    for label, text in fields.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_load_state()
    has_no_obstacles(page)


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def wait_for_picture(page: Page, alt: str) -> None:
    """Wait until it has arrived, not only its place. Raises Playwright's Error if it is none."""
    page.get_by_role("img", name=alt).evaluate("img => img.decode()")


def links_in(mails: str) -> set[str]:
    return set(re.findall(r"^\s*(https?://\S+)$", mails, re.MULTILINE))
