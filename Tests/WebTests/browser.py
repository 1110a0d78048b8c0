#!/usr/bin/python3
"""Goes through the web program in a real headless Chromium, as a person would, against a daemon with the scripted
engine: browser.py ADDRESS LOCKED-ADDRESS READER-TOKEN ADMIN-TOKEN [SCREENSHOTS]. The second address is one where
people sign in. Prints a line for each thing that was seen; ends with the first that was not."""

import base64, os, struct, sys, tempfile, time, zlib
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

address, locked, reader_token, admin_token = sys.argv[1:5]
screenshots = sys.argv[5] if len(sys.argv) > 5 else None
hostile = "\"'><b onmouseover=alert(1)>&{{form_token}}"


def browser():
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1280,900", "--no-proxy-server"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


page = browser()
# Beside other tests on a small machine everything is slow; nothing here waits longer than it must.
patience = WebDriverWait(page, 90, poll_frequency=0.1, ignored_exceptions=[StaleElementReferenceException])


def one(selector):
    return page.find_element(By.CSS_SELECTOR, selector)


def wait(what, test):
    patience.until(lambda _: test(), message=f"{what}; {page.current_url} has: {page.page_source[:6000]}")


def steady(what, action):
    """Does it; again where the page was renewed under it."""
    wait(what, lambda: action() is not False)


def press(selector):
    steady(f"{selector} can be pressed", lambda: one(selector).click())


def press_button(words):
    steady(f"{words} can be pressed",
           lambda: page.find_element(By.XPATH, f"//button[contains(., '{words}')]").click())


def press_while_it_is_renewed(words):
    """A press that ends after the part around it was asked for again."""
    page.execute_script("""
        const ask = window.fetch;
        window.answers = 0;
        window.fetch = (...all) => ask(...all).finally(() => { window.answers += 1; });
        """)
    button = f"//button[contains(., '{words}')]"
    steady(f"{words} is held down",
           lambda: ActionChains(page).click_and_hold(page.find_element(By.XPATH, button)).perform())
    wait("the part is asked for again", lambda: page.execute_script("return window.answers") > 2)
    ActionChains(page).release().perform()


def focused(what="textContent"):
    return page.execute_script("return document.activeElement[arguments[0]]", what)


def shown(selector):
    """What people read there, asked in one go: the page may be renewed at any time."""
    return page.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)


def text():
    return shown("main")


def state():
    return page.execute_script("return document.querySelector('[data-state]')?.dataset.state")


def seen(what):
    for line in page.get_log("browser"):
        if "Content Security Policy" in line["message"] or "Uncaught" in line["message"]:
            raise AssertionError(f"{what}: {line['message']}")
    assert page.execute_script("return window.hacked") is None
    print("seen:", what, flush=True)


def draw(prompt, model="pocket-infinity", **fields):
    page.get(address + "/playground")
    area = one("[name=prompts]")
    area.clear()
    area.send_keys(prompt)
    Select(one("[name=model]")).select_by_visible_text(model)
    for name, value in fields.items():
        Select(one(f"[name={name}]")).select_by_visible_text(value)
    one("main form button.primary").click()


def picture():
    """A PNG of 64 by 64 pixels, in a file."""
    rows = b"".join(
        b"\0" + bytes(value for x in range(64) for value in (x * 4, y * 4, 128)) for y in range(64))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = os.path.join(tempfile.mkdtemp(), "reference.png")
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


# No number of JavaScript's.
SEED = "9007199254740993"


def learn(name, role, method, model, prompt):
    page.get(address + "/new")
    Select(one("[name=role]")).select_by_value(role)
    Select(one("form[data-new] [name=method]")).select_by_visible_text(method)
    Select(one("form[data-new] [name=model]")).select_by_visible_text(model)
    one("[data-drop] input").send_keys(picture())
    wait("the picture is shown", lambda: page.execute_script(
        "const i = document.querySelector('.dropped img'); return i && i.complete && i.naturalWidth === 64"))
    one("form[data-new] [name=name]").send_keys(name)
    if role == "subject":
        one("form[data-new] [name=class]").send_keys("dog")
    one("form[data-new] [name=prompts]").send_keys(prompt)
    one("form[data-new] [name=seed]").send_keys(SEED)
    # Pressed twice, as people do where nothing seems to happen.
    page.execute_script("arguments[0].click(); arguments[0].click()", one("form[data-new] button.primary"))
    wait("the page of the job", lambda: "/jobs/" in page.current_url)


def submit_and_watch():
    learn("rex", "subject", "lora", "pocket-chameleon", "steps=60 delay=50 adapter seed=1")
    page.execute_script("window.marker = 1")
    wait("the job runs", lambda: state() in ("running", "completed"))
    wait("the bar moves", lambda: page.find_elements(By.CSS_SELECTOR, ".progress progress[value]")
         or state() == "completed")
    wait("the job is completed", lambda: state() == "completed")
    assert page.execute_script("return window.marker") == 1, "the page was loaded again"
    seen("a job submitted, and watched to its end without a reload")
    assert page.execute_script("return document.querySelector('.references img').naturalWidth") == 64
    assert page.find_elements(By.CSS_SELECTOR, ".curves svg polyline"), "no curve"
    press("#message summary")
    wait("its message", lambda: '"kind" : "personalize"' in shown("#message pre"))
    assert f'"seed" : {SEED}' in shown("#message pre"), shown("#message pre")
    seen("its references, its curve and its message")
    page.get(address + "/jobs?text=steps%3D60+delay")
    wait("the list", lambda: page.find_elements(By.CSS_SELECTOR, ".jobs tbody tr"))
    assert len(page.find_elements(By.CSS_SELECTOR, ".jobs tbody tr")) == 1, "one form became several jobs"
    seen("one job of a form that was sent twice")


def estimate():
    return shown("form:not([hidden]) .estimate")


def what_it_would_take():
    page.get(address + "/new")
    Select(one("form[data-new] [name=method]")).select_by_visible_text("lora")
    Select(one("form[data-new] [name=model]")).select_by_visible_text("pocket-chameleon")
    # The scripted engine counts what the prompt says.
    prompts = one("form[data-new] [name=prompts]")
    prompts.send_keys("inspect-cost=300")
    wait("the estimate", lambda: "About 5.0 s" in estimate() and "301 MiB of memory" in estimate())
    prompts.send_keys("0")
    wait("the estimate follows the form", lambda: "2.9 GiB of memory" in estimate())
    prompts.send_keys("0000")
    wait("that it fits nowhere", lambda: "fits on no worker" in estimate())
    one("form[data-new] [name=seed]").send_keys("-1")
    wait("what is wrong", lambda: "No estimate yet: /seed" in estimate())
    page.execute_script("document.querySelector('[data-table][hidden] input[type=number]').value = '-1e9'")
    assert not page.find_elements(By.CSS_SELECTOR, "[data-table][hidden] input:invalid"), "nobody sees what is wrong"
    if screenshots:
        page.save_screenshot(screenshots + "/estimate-problem.png")
    press_button("Any job, as JSON")
    area = one("[name=json]")
    area.clear()
    area.send_keys('{"version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["inspect-cost=7"]}')
    wait("the estimate of JSON", lambda: "8 MiB of memory" in estimate())
    page.get(address + "/playground")
    one("[name=prompts]").send_keys("inspect-cost=40")
    wait("the estimate of a drawing", lambda: "41 MiB of memory" in estimate())
    size = one("[name=size]")
    Select(one("[name=model]")).select_by_visible_text("pocket-infinity")
    offered = page.execute_script("return [arguments[0].list.id, arguments[0].placeholder]", size)
    assert offered == ["shapes-pocket-infinity", "64x64"], f"the size is offered as {offered}"
    size.send_keys("7x7")
    wait("what is wrong, beside the size", lambda: shown("#size-problem").startswith('found "7x7"; allowed: 64x64'))
    assert estimate() == "No estimate yet.", estimate()
    size.clear()
    size.send_keys("32x32")
    wait("the estimate of another size", lambda: not shown("#size-problem") and "41 MiB of memory" in estimate())
    seen("what a job would take, as its form changes")


def pictures_of_a_form():
    page.get(address + "/new")
    # As large pictures are read on a slow machine.
    page.execute_script("""
        const read = Blob.prototype.arrayBuffer, ready = new Promise(done => { window.release = done; });
        Blob.prototype.arrayBuffer = async function () { await ready; return read.call(this); };
        """)
    for _ in range(2):
        one("[data-drop] input").send_keys(picture())
    publish = one("form[data-new] button.primary")
    wait("that they are read is said", lambda: "Reading 1 picture" in shown(".dropped"))
    assert not publish.is_enabled(), "it would be sent without them"
    page.execute_script("release()")
    wait("both pictures are there", lambda: publish.is_enabled()
         and len(page.find_elements(By.CSS_SELECTOR, ".dropped img")) == 2)
    one(".dropped button").send_keys(Keys.ENTER)
    assert focused() == "Remove", f"the focus went from Remove to {focused('localName')}"
    one(".dropped button").send_keys(Keys.ENTER)
    assert focused("type") == "file", f"the focus went from the last Remove to {focused('localName')}"
    seen("pictures waited for, and taken away by the keyboard")


def look_at_the_concept():
    page.get(address + "/concepts")
    press(".gallery a")
    wait("the concept", lambda: "Version 1" in text())
    link = page.find_element(By.LINK_TEXT, "rex.safetensors") if page.find_elements(
        By.LINK_TEXT, "rex.safetensors") else one(".files a")
    assert "download=" in link.get_attribute("href")
    press("[data-insert]")
    assert "<rex>" in one("[name=prompts]").get_attribute("value")
    case = page.execute_script("return getComputedStyle(document.querySelector('h1'), '::first-letter').textTransform")
    assert case == "none", "a concept's name is written as prompts do not call it"
    seen("a concept in the gallery, its files, its playground")


def retry():
    draw("fail=fatal code=engine.scripted")
    wait("it fails", lambda: "/jobs/" in page.current_url and state() == "discarded")
    assert "engine.scripted" in text()
    press_button("Retry")
    wait("the preview", lambda: "Retry 1 job?" in text().replace("retry", "Retry"))
    press("form.sure button")
    wait("its second attempt", lambda: "/jobs/" in page.current_url and "2, " in shown(".facts"))
    page.get(address + "/failures")
    assert "engine.scripted" in text()
    seen("a failed job tried again")


def cancel():
    draw("steps=5000 delay=20")
    wait("it runs", lambda: "/jobs/" in page.current_url and state() == "running")
    page.get(address + "/")
    wait("the queue shows it", lambda: "1\nrunning" in text() and page.find_elements(By.CSS_SELECTOR, ".run"))
    press(".run")
    wait("its page", lambda: state() == "running")
    press_while_it_is_renewed("Cancel")
    press("form.sure button")
    wait("it is cancelled", lambda: "/jobs/" in page.current_url and state() == "cancelled")
    seen("a running job found in the queue and cancelled")


def without_eyes():
    """What a keyboard and a screen reader have of a job that ends while its page is open."""
    draw("steps=5000 delay=20")
    wait("it runs", lambda: "/jobs/" in page.current_url and state() == "running")
    page.execute_script("document.querySelector('.do form button').focus()")
    assert "Cancel" in focused()
    page.execute_script("""
        return fetch(`/api${location.pathname}/cancel`, { method: "POST",
            headers: { "X-Form-Token": document.querySelector("meta[name=form-token]").content } })
        """)
    wait("it is cancelled", lambda: state() == "cancelled")
    assert focused("localName") != "button", f"the focus went from Cancel to {focused()}"
    wait("its end is announced", lambda: one("[data-news]").get_property("textContent").endswith(": cancelled"))
    press_button("Delete")
    wait("the preview", lambda: "delete 1 job?" in text().lower())
    assert focused("localName") != "button", "a second press of the key would erase"
    draw("inspect-problem")
    wait("its rejection is announced", lambda: one("main :is([role=alert], [data-said])").is_displayed())
    seen("the end of a job where it is not seen, and the focus on nothing else")


def without_script():
    """What a browser has that runs no script, or has not loaded it yet."""
    page.get(address + "/new")
    words, held = page.execute_script("""
        return fetch("/new").then(answer => answer.text()).then(html => {
            const bare = new DOMParser().parseFromString(html, "text/html");
            return [bare.querySelector("noscript").textContent,
                [...bare.querySelectorAll("form:not([method]) button.primary")].map(one => one.disabled)];
        })
        """)
    assert "JavaScript" in words and held == [True, True], f"a form goes nowhere by itself: {words}, {held}"
    wait("it can be published", lambda: page.find_element(By.CSS_SELECTOR, "[data-new] .primary").is_enabled())
    seen("a form that sends nothing without its script, and says so")


def reload():
    page.get(address + "/new")
    one("form[data-new] [name=name]").send_keys("rex")
    Select(one("[name=role]")).select_by_value("style")
    one("form[data-new] [name=prompts]").send_keys("a dog")
    press_button("Any job, as JSON")
    page.refresh()

    def kept():
        return page.execute_script("""
            const { name, role, prompts } = document.querySelector("form[data-new]").elements;
            return [name.value, role.value, prompts.value, document.querySelector("#by-json").hidden];
            """)

    wait("what was written is there again", lambda: kept() == ["rex", "style", "a dog", False])
    page.get(address + "/")
    page.get(address + "/new")
    assert kept() == ["", "subject", "", True], f"another job begins with {kept()}"
    seen("a form that a reload keeps")


def right_to_left():
    draw("\u05e9\u05dc\u05d5\u05dd steps=1")
    wait("it ends", lambda: "/jobs/" in page.current_url and state() == "completed")
    page.get(address + "/jobs?text=%D7%A9%D7%9C%D7%95%D7%9D")
    wait("the list", lambda: page.find_elements(By.CSS_SELECTOR, ".jobs td.what"))
    first, last = page.execute_script("""
        const text = document.querySelector(".jobs td.what").firstChild, range = document.createRange();
        return [0, text.length - 1].map(place => {
            range.setStart(text, place);
            range.setEnd(text, place + 1);
            return range.getBoundingClientRect().left;
        });
        """)
    assert first > last, "a prompt in Hebrew is laid out from left to right"
    seen("a prompt from right to left")


def compose():
    learn("woodcut", "style", "coar", "pocket-chameleon", "steps=2 adapter")
    wait("the style is learnt", lambda: state() == "completed")
    draw("steps=2", "pocket-chameleon", subject="rex", style="woodcut")
    wait("the composition ends", lambda: "/jobs/" in page.current_url and state() in ("completed", "discarded"))
    assert "compose" in shown("h1").lower()
    seen("a subject in a style")


def many():
    page.get(address + "/jobs?state=completed")
    press("[data-all]")
    assert shown(".ticked").endswith("ticked")
    press_button("Delete")
    wait("the preview", lambda: "Nothing brings back what is erased" in text())
    page.find_element(By.LINK_TEXT, "Leave them").click()
    wait("the list", lambda: "/jobs?state=completed" in page.current_url)
    seen("many jobs chosen, and left")


def hostile_text():
    page.get(address + "/jobs?text=" + "%22%3E%3Cimg%20src%3Dx%20onerror%3D%22window.hacked%3D1%22%3E")
    assert "No job fits" in text()
    draw(f"steps=1 {hostile}")
    wait("the refusal", lambda: "Not published" in text() and "onmouseover" in text())
    assert not page.find_elements(By.CSS_SELECTOR, "main b[onmouseover]")
    page.get(address + "/rejections")
    assert not page.find_elements(By.CSS_SELECTOR, "[onmouseover], [onerror]")
    seen("hostile text as text")


def live():
    """What a page does for the connection it follows the tables by."""
    script = page.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        window.feeds = [];
        window.EventSource = class extends EventSource { constructor(...all) { super(...all); feeds.push(this); } };
        """})
    page.get(address + "/jobs?text=first+of+all")
    assert "No job fits" in text()

    def follows(count):
        return page.execute_script(
            "return feeds.filter(one => one.readyState !== EventSource.CLOSED).length") == count

    def show(is_shown):
        page.execute_script(
            "Object.defineProperty(document, 'hidden', { value: !arguments[0], configurable: true });"
            "document.dispatchEvent(new Event('visibilitychange'))", is_shown)

    wait("it follows", lambda: follows(1))
    show(False)
    assert follows(0), "a page that nobody sees keeps its connection"
    show(True)
    wait("it follows again", lambda: follows(1))
    # As after an answer that is no stream.
    page.execute_script("feeds.at(-1).close(); feeds.at(-1).onerror()")
    wait("it tries again", lambda: follows(1))

    def publish():
        page.execute_script("""
            return fetch('/api/jobs', { method: 'POST', headers: { 'Content-Type': 'application/json',
                'X-Form-Token': document.querySelector('meta[name=form-token]').content },
                body: JSON.stringify({ version: 1, kind: 'generate', model: 'pocket-infinity',
                    prompts: ['steps=1 first of all'] }) }).then(answer => answer.status)
            """)

    def rows(count):
        return len(page.find_elements(By.CSS_SELECTOR, ".jobs tbody tr")) == count

    publish()
    wait("the job comes", lambda: rows(1))
    assert "No job fits" not in text()
    first = page.execute_script(
        "const box = document.querySelector('.jobs tbody input'); box.focus(); return box.value")
    publish()
    wait("another comes above it", lambda: rows(2))
    assert page.execute_script("return document.activeElement.value") == first, "the focus went to another job"
    page.execute_script("window.fetch = () => Promise.resolve(new Response('', { status: 503 }))")
    wait("that it is not live is said", lambda: "not live" in shown(".live-state"))
    page.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    seen("a page that follows while it is seen, and says when it cannot")


def keyboard():
    page.get(address + "/")
    body = one("body")
    body.send_keys(Keys.TAB)
    assert page.execute_script("return document.activeElement.className") == "skip"
    one("body").send_keys("g", "j")
    wait("the jobs", lambda: page.current_url.endswith("/jobs"))
    one("body").send_keys("/")
    assert focused("name") == "text"
    page.get(address + "/new")
    wait("the choice of pictures is reached",
         lambda: focused("type") == "file" or ActionChains(page).send_keys(Keys.TAB).perform() is not None)
    ring = page.execute_script("return getComputedStyle(document.activeElement.closest('.button')).outlineStyle")
    assert ring == "solid", "nobody sees that the keyboard is on the choice of pictures"
    seen("the keyboard's ways")


NAMELESS = """
return [...document.querySelectorAll(
        'input:not([type=hidden]), select, textarea, button, a[href], img, svg, progress')]
    .filter(one => !(one.labels?.length || one.getAttribute('aria-label') || one.textContent.trim()
        || one.hasAttribute('alt') || one.querySelector('img[alt]') || one.closest('[hidden]')))
    .map(one => one.outerHTML);
"""


def hold_to_width(path):
    size = page.execute_script("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert size[0] <= size[1], f"{path} is {size[0]} wide on {size[1]}"


def every_page():
    page.get(address + "/jobs")
    job = page.execute_script("return document.querySelector('.jobs code').closest('a').getAttribute('href')")
    pages = {"queue": "/", "jobs": "/jobs", "job": job, "concepts": "/concepts", "concept": "/concepts/rex",
             "playground": "/playground", "compare": "/compare", "failures": "/failures", "rejections": "/rejections",
             "dead": "/dead", "models": "/models", "new": "/new", "runbook": "/runbook"}
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390)):
        page.execute_cdp_cmd("Emulation.setEmulatedMedia",
                             {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                             {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
        for name, path in pages.items():
            page.get(address + path)
            assert len(page.find_elements(By.TAG_NAME, "h1")) == 1, f"{path} has no single heading"
            nameless = page.execute_script(NAMELESS)
            assert not nameless, f"{path} has what no screen reader can name: {nameless[:3]}"
            hold_to_width(path)
            ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
            assert (ground == "rgb(19, 22, 27)") == (scheme == "dark"), f"{path} is {ground} in {scheme}"
            if screenshots:
                shot = page.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
                with open(f"{screenshots}/{name}-{scheme}-{width}.png", "wb") as file:
                    file.write(base64.b64decode(shot["data"]))
            page.execute_script("for (const one of document.querySelectorAll('main details')) one.open = true")
            hold_to_width(path + " unfolded")
            if name == "jobs":
                right = page.execute_script("return document.querySelector('.jobs code').getBoundingClientRect().right")
                assert right <= width, f"the way to a job is {right} from the left on {width}"
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    seen("every page light, dark and on a phone, with a name for everything")


def sign_in():
    page.get(locked + "/jobs")
    assert "Sign in" in text() and "next=" in page.current_url
    one("[name=token]").send_keys("atelier_wrong", Keys.ENTER)
    wait("the refusal", lambda: "not known" in text())
    one("[name=token]").send_keys(reader_token, Keys.ENTER)
    wait("the page that was asked for", lambda: page.current_url == locked + "/jobs")
    assert not page.find_elements(By.CSS_SELECTOR, ".actions") and not page.find_elements(By.LINK_TEXT, "New job")
    press_button("Sign out")
    wait("the door", lambda: "/sign-in" in page.current_url)
    one("[name=token]").send_keys(admin_token, Keys.ENTER)
    wait("the queue", lambda: page.find_elements(By.LINK_TEXT, "New job"))
    assert page.execute_script("return document.cookie") == "", "a script reads the cookie"
    page.get(f"data:text/html,<a href='{locked}/jobs'>a link in a chat</a>")
    one("a").click()
    wait("where it leads", lambda: page.current_url.startswith(locked))
    assert page.current_url == locked + "/jobs", "a link from elsewhere signs out"
    seen("signing in and out, to look and to act")


try:
    steps = (
        what_it_would_take, pictures_of_a_form, submit_and_watch, look_at_the_concept, retry, cancel, without_eyes,
        without_script, reload, right_to_left, compose, many, hostile_text, live, keyboard, every_page, sign_in,
    )
    for step in steps:
        step()
    print("all seen")
finally:
    page.quit()
