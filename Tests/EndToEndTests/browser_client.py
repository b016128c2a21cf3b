#!/usr/bin/env python3
"""Fills in the form for credentials with Debian's Chromium, by keyboard alone, and prints what was seen as one object.

    browser_client.py --code K7Q-2MX --value VALUE [--value VALUE] [--ignore-certificate] URL < /dev/null

    {"title", "url",                      before the form was sent
     "fields": [{"role", "name", "description", "required"}], "heading", "landmarks",   the accessibility tree's words
     "focus": [...],                      what has the focus, key after key
     "widths": [...], "fits": bool,       whether a phone of 360 pixels must scroll sideways
     "schemes": {"light", "dark"},        the background's colour
     "alert", "afterWrong",               what is said after a wrong pairing code, if --wrong was given
     "end", "endURL",                     heading and address after it was sent
     "cookies", "cookiesAfter": [...],    as the browser keeps them, without values
     "console": [...],                    whatever its console says, violations of the policy too
     "requests": [...], "origins": [...], every address that was asked for
     "source": whether a value stands in any page}
"""

import argparse
import json
import os
import sys
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait


def start(options):
    chrome = webdriver.ChromeOptions()
    chrome.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     f"--user-data-dir={options.profile}"]:
        chrome.add_argument(argument)
    if os.geteuid() == 0:
        chrome.add_argument("--no-sandbox")
    if options.ignore_certificate:
        chrome.add_argument("--ignore-certificate-errors")
        chrome.add_argument(f"--host-resolver-rules=MAP {urlsplit(options.url).hostname} 127.0.0.1")
    chrome.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=chrome, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def press(driver, keys):
    ActionChains(driver).send_keys(keys).perform()


def tree(driver):
    """What a screen reader is told: the nodes that it does not leave out."""
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    word = lambda node, key: (node.get(key) or {}).get("value", "")
    told = []
    for node in nodes:
        if node.get("ignored"):
            continue
        properties = {item["name"]: item["value"].get("value") for item in node.get("properties", [])}
        told.append({"role": word(node, "role"), "name": word(node, "name"), "description": word(node, "description"),
                     "required": bool(properties.get("required"))})
    return told


def focused(driver):
    return driver.execute_script("const e = document.activeElement; return e.id || e.name || e.type || e.tagName")


def submit(driver):
    """Sends the form with the button, by keyboard, and waits for another page."""
    old = driver.find_element(By.TAG_NAME, "html")
    press(driver, Keys.ENTER)
    WebDriverWait(driver, 30).until(lambda d: d.find_element(By.TAG_NAME, "html") != old)
    WebDriverWait(driver, 30).until(lambda d: d.execute_script("return document.readyState") == "complete")


def fill(driver, code, values):
    """From the top of the page: Tab to each field, type, and Tab to the button."""
    order = []
    for text in [code] + values:
        press(driver, Keys.TAB)
        order.append(focused(driver))
        press(driver, text)
    press(driver, Keys.TAB)
    order.append(focused(driver))
    return order


def cookies(driver):
    kept = driver.execute_cdp_cmd("Network.getAllCookies", {})["cookies"]
    names = ["name", "domain", "path", "secure", "httpOnly", "sameSite", "session"]
    return [{name: cookie.get(name) for name in names} for cookie in kept]


def look(driver):
    seen = {"title": driver.title, "url": driver.current_url}
    told = tree(driver)
    seen["fields"] = [node for node in told if node["role"] in ("textbox", "button")]
    seen["heading"] = next((node["name"] for node in told if node["role"] == "heading"), None)
    seen["landmarks"] = [node["role"] for node in told if node["role"] in ("main", "form")]
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": True})
    widths = driver.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    seen["widths"], seen["fits"] = widths, widths[1] <= 360
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    seen["schemes"] = {}
    for scheme in ["light", "dark"]:
        driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        seen["schemes"][scheme] = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    seen["cookies"] = cookies(driver)
    return seen


def requests(driver):
    asked = []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    return asked


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--code", required=True)
    parser.add_argument("--value", action="append", default=[])
    parser.add_argument("--wrong", action="store_true", help="try a wrong pairing code first")
    parser.add_argument("--profile", required=True, help="a folder of this run alone")
    parser.add_argument("--ignore-certificate", action="store_true")
    options = parser.parse_args()
    driver = start(options)
    try:
        # Chromium's own first page asks for things of its own.
        driver.get("about:blank")
        driver.get_log("performance")
        driver.get(options.url)
        seen = look(driver)
        sources = [driver.page_source]
        if options.wrong:
            fill(driver, "000-000", options.value)
            submit(driver)
            sources.append(driver.page_source)
            seen["afterWrong"] = driver.find_element(By.TAG_NAME, "h1").text
            seen["alert"] = next((node["name"] or "said" for node in tree(driver) if node["role"] == "alert"), None)
        seen["focus"] = fill(driver, options.code, options.value)
        submit(driver)
        sources.append(driver.page_source)
        seen["end"] = driver.find_element(By.TAG_NAME, "h1").text
        seen["endURL"] = driver.current_url
        seen["cookiesAfter"] = cookies(driver)
        seen["console"] = [f'{line["level"]} {line["message"]}' for line in driver.get_log("browser")]
        seen["requests"] = requests(driver)
        seen["origins"] = sorted({f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in seen["requests"]})
        seen["source"] = any(value in source for value in options.value for source in sources)
        print(json.dumps(seen))
    finally:
        driver.quit()


if __name__ == "__main__":
    sys.exit(main())
