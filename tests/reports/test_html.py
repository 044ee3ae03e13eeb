from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports import sample
from zonewatch.inventory.unknown import UnknownProtocol
from zonewatch.reports.html import html_report, script_json
from zonewatch.reports.texts import LANGUAGES, load_texts

RESULTS = (sample.sample, sample.without_policy, sample.hostile, sample.empty)


class Page(HTMLParser):
    """What a browser would find: elements, their attributes, scripts and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.words: list[str] = []
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._open = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self._open != "style":
            self.words.append(data)


@pytest.mark.parametrize("make", RESULTS)
def test_the_page_needs_nothing_from_outside(make: Any) -> None:
    page = Page(html_report(make()))
    assert not {"link", "iframe", "object", "embed", "base"} & set(page.tags)
    links = [value for _, name, value in page.attributes if name in ("src", "href", "action", "srcset", "data")]
    assert all(re.fullmatch(r"#.*|evidence/[0-9a-f]{16}\.pcapng", value) for value in links)


@pytest.mark.parametrize("make", RESULTS)
def test_only_the_named_scripts_may_run(make: Any) -> None:
    page = Page(html_report(make()))
    policy = next(value for tag, name, value in page.attributes if tag == "meta" and value.startswith("default-src"))
    named = set(re.findall(r"'sha256-([^']+)'", policy))
    run = [text for attributes, text in page.scripts if "type" not in attributes]
    assert {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run} == named
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert len(page.scripts) == 4


def test_hostile_names_stay_text() -> None:
    kind, hostile = Page(html_report(sample.sample())), Page(html_report(sample.hostile()))
    assert hostile.tags["img"] == kind.tags["img"] == 1
    assert hostile.tags["script"] == kind.tags["script"]
    assert not [name for _, name, _ in hostile.attributes if name.startswith("on")]
    assert {name for _, name, _ in hostile.attributes} <= {name for _, name, _ in kind.attributes}
    text = "".join(hostile.words)
    assert "<img src=x onerror=alert(1)>" in text
    assert not set(html_report(sample.hostile())) & {"\x1b", "\u202e", "\u2028"}


def test_the_data_of_the_map_comes_through_whole() -> None:
    page = Page(html_report(sample.hostile()))
    text = next(text for attributes, text in page.scripts if attributes.get("id") == "data")
    names = {asset["name"] for asset in json.loads(text)["assets"].values()}
    assert any(name.startswith("<img src=x onerror=alert(1)></script>") for name in names)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_in_a_script_comes_back_and_cannot_end_it(value: Any) -> None:
    text = str(script_json(value))
    assert json.loads(text) == value
    assert not set(text) & {"<", ">", "&", "\u2028", "\u2029"}


@pytest.mark.parametrize("make", RESULTS)
def test_it_is_the_same_every_time_and_says_no_forbidden_word(make: Any) -> None:
    text = html_report(make())
    assert text == html_report(make())
    assert "complian" not in "".join(Page(text).words).lower()


def test_every_finding_has_an_anchor_and_its_proof() -> None:
    result = sample.sample()
    page = Page(html_report(result))
    ids = {value for tag, name, value in page.attributes if (tag, name) == ("details", "id")}
    assert {f"f-{finding.id}" for finding in result.findings} == ids
    text = "".join(page.words)
    assert "riverside-0800.pcapng frames 44120, 44121, 44388" in text
    assert result.captures[0].sha256 in text
    assert "ends in the middle of a packet" in text


def test_without_a_policy_no_verdict_is_shown() -> None:
    text = html_report(sample.without_policy())
    assert 'class="chip v-' not in text.split('id="findings"')[1].replace("exposure", "").split('id="oddities"')[1]
    assert "The zones are a proposal" in text
    assert "Proposed policy" in text


def test_a_large_network_stays_below_five_megabytes() -> None:
    text = html_report(sample.crowd(5_000, 20_000))
    assert len(text.encode()) < 5_000_000
    assert "4,000 more in assets.csv" in text
    assert "more in edges.csv" in text


@pytest.mark.parametrize("make", RESULTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_whole_page(language: str, make: Any) -> None:
    page = Page(html_report(make(), language))
    assert ("html", "lang", language) in page.attributes
    links = {value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href") and value[0] == "#"}
    assert links <= {value for _, name, value in page.attributes if name == "id"}


def test_nothing_of_the_english_page_is_left_in_the_german_one() -> None:
    english, german = load_texts("en").templates, load_texts("de").templates
    own = {text for key, one in english.items() if (text := one.literal) != german[key].literal and " " in text}
    for make in RESULTS:
        page = Page(html_report(make(), "de"))
        told = {words.strip() for words in (*page.words, *(value for _, name, value in page.attributes if name != "d"))}
        assert not own & told
        assert "Prüfung" in "".join(page.words)


def test_what_rules_say_in_english_is_marked_as_english() -> None:
    result = sample.sample()
    own = replace(result.findings[0], title="A rule of one's own <b>", reasons=("the policy allows it", "own reason"))
    text = html_report(replace(result, findings=(own,)), "de")
    assert '<span lang="en">A rule of one&#39;s own &lt;b&gt;</span>' in text
    assert 'die Richtlinie erlaubt es; <span lang="en">own reason</span>' in text
    assert 'lang="en"' not in html_report(replace(result, findings=(own,)), "en").replace('<html lang="en"', "")


def test_a_table_tells_the_unknown_protocols() -> None:
    sizes, shares = (2, 3, 1_200, 96_000, 8, 128, 256, 250_000_000), (5.25, 0.5)
    seen = UnknownProtocol("unknown-7", "udp/4711", ("udp/4711",), *sizes, *shares, 9, "a.pcap", "tap")
    text = html_report(replace(sample.sample(), unknown=(seen,)), "de")
    assert '<section id="unknown">' in text
    for cell in ("unknown-7", "udp/4711", "1.200", "96.000", "8 / 128 / 256", "250 ms", "5,2", "50 %", "a.pcap 9"):
        assert f">{cell}<" in text, cell


def test_a_finding_calls_a_device_as_its_sentences_do() -> None:
    result = sample.sample()
    assets = tuple(replace(asset, name=f"Long name of {asset.id}") for asset in result.inventory.assets)
    result = replace(result, inventory=replace(result.inventory, assets=assets))
    declared = {asset.id: asset for asset in assets if asset.declared}
    html = html_report(result)
    told = re.findall(r"<dt>Devices</dt><dd>(.*?)</dd>", html)
    listed = [asset for finding in result.findings for name in finding.assets if (asset := declared.get(name))]
    assert listed
    assert all(any(f">{asset.declared}<" in line for line in told) for asset in listed)
    assert not any(f">{asset.name}<" in line for line in told for asset in listed)
