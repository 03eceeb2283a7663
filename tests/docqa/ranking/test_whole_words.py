# ruff: noqa: RUF001 (signs are the point)
"""Answers are widened to whole words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.ranking.whole_words import whole_words


@pytest.mark.parametrize(
    ("text", "cut", "whole"),
    [
        ("the variable BASH_XTRACEFD is", "TRACE", "BASH_XTRACEFD"),
        ("pays 1,250.50 euros", "250", "1,250.50"),
        ("in 1990, 2001 and", "1990", "1990"),
        ("from 1990\u20131995", "1990", "1990"),
        ("café au lait", "caf", "café"),
        ("(Paris)", "Paris", "Paris"),
        ("the tenant's rent", "tenant", "tenant"),
        ("東京都は日本", "京", "京"),
        ("서울에서 산다", "서울", "서울"),
        ("ภาษาไทย", "ษา", "ษา"),
        ("x" * 500, "x" * 7, "x" * 7),
        ("ends here", "her", "here"),
        ("a b", "a b", "a b"),
        ("stored in ./.docqa, where", "docqa", "./.docqa"),
        ("stored in ./.docqa, where", "/.docqa", "./.docqa"),
        ("give `--json` or", "json", "--json"),
        ("see ../shared/data", "shared", "../shared/data"),
        ("costs $5 or 20% of it", "5", "$5"),
        ("costs $5 or 20% of it", "20", "20%"),
        ("at (-5 degrees)", "5", "-5"),
        ("written in C++ and", "C", "C++"),
        ("C# is one", "C", "C#"),
        ("he said ...nothing", "nothing", "nothing"),
        ("pages 12-15 of", "15", "15"),
        ("rule ----- 7", "7", "7"),
        ("the end. Then", "end", "end"),
        ("more than 5.", "5", "5"),
        ("to bash-maintainers@gnu.org so", "@gnu.org", "bash-maintainers@gnu.org"),
        ("write to <a.b+c@lists.example.org>.", "b", "a.b+c@lists.example.org"),
        ("user@host, or", "user", "user"),
        ("@someone said", "someone", "@someone"),
    ],
)
def test_widens_to_words(text: str, cut: str, whole: str) -> None:
    start = text.index(cut)
    low, high = whole_words(text, start, start + len(cut))
    assert text[low:high] == whole


URL = "https://www.example.org/forms/tax?id=12&year=2024#top"
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize(
    ("text", "cut", "whole"),
    [
        # Addresses were cut at their signs.
        (f"is at {URL} from June", "https", URL),
        (f"is at {URL} from June", "www.example", URL),
        (f"see {URL}.", "2024", URL),
        (f"(see {URL})", "tax", URL),
        (
            "see https://en.wikipedia.org/wiki/A_(b), or",
            "wiki/A",
            "https://en.wikipedia.org/wiki/A_(b)",
        ),
        (
            "from ftp://ftp.acme.example/pub/v2.zip today",
            "acme",
            "ftp://ftp.acme.example/pub/v2.zip",
        ),
        ("at www.example.org, or", "example", "www.example.org"),
        ("at example.org/a/b now", "org", "example.org/a/b"),
        ("https://example.org/を見る", "example", "https://example.org/"),
        ("is 2001:db8:85a3::8a2e:370:7334 for", "85a3", "2001:db8:85a3::8a2e:370:7334"),
        ("use fe80::1%eth0 or", "fe80", "fe80::1%eth0"),
        ("at 192.168.0.1:8080, or", "168", "192.168.0.1:8080"),
        ("net 10.0.0.0/8 is", "10.0.0.0", "10.0.0.0/8"),
        ("mac 00:1a:2b:3c:4d:5e is", "2b", "00:1a:2b:3c:4d:5e"),
        (f"The commit is {SHA} on main", SHA[:20], SHA),
        (f"sha256:{SHA} is", SHA[10:20], f"sha256:{SHA}"),
        (
            "id 123e4567-e89b-12d3-a456-426614174000.",
            "e89b",
            "123e4567-e89b-12d3-a456-426614174000",
        ),
        ("in /usr/share/doc/bash/README.gz, or", "share", "/usr/share/doc/bash/README.gz"),
        ("in C:\\Users\\a b", "Users", "C:\\Users\\a"),
        ("in ~/.config/app.toml.", "config", "~/.config/app.toml"),
        ("in docs/manual/a.txt now", "manual", "docs/manual/a.txt"),
        ("the doi 10.1000/182.5a is", "1000", "10.1000/182.5a"),
        ("number: INV-2024-0917 of", "2024", "INV-2024-0917"),
        ("on 2024-05-03, at", "05", "2024-05-03"),
        ("at 10:30 sharp", "10", "10:30"),
        ("and/or not", "and", "and"),
        ("5 km/h fast", "km", "km"),
        ("costs US$5 or", "5", "US$5"),
        ("costs A$1,250.50 or", "1,250.50", "A$1,250.50"),
        ("at 30°C now", "30", "30°C"),
        # Half of a pair of brackets was left outside.
        ("section 12(3)(a) says", "12", "12(3)(a)"),
        ("call fork() first", "fork", "fork()"),
        ("see printf(3) for", "printf", "printf(3)"),
        ("the value (a (b) c) of", "a (b", "a (b)"),
        ("dial (212) 555-0100 now", "212) 555", "(212) 555-0100"),
        ("in “Annual Report” of", "“Annual Report", "“Annual Report”"),
        # The last mark was cut off its letter.
        (
            "went to Zoe\u0308 Be\u0301jarta\u0308 for",
            "Zoe\u0308 Be\u0301jarta",
            "Zoe\u0308 Be\u0301jarta\u0308",
        ),
        ("by Andre\u0301. It", "Andre", "Andre\u0301"),
        ("was Jose\u0301", "Jose", "Jose\u0301"),
        ("Andre\u0301 Dvor\u030ca\u0301k", "a\u0301k", "Dvor\u030ca\u0301k"),
        ("नाम राजेन्द्र प्रसाद है।", "राजेन", "राजेन्द्र"),
        ("नाम राजेन्द्र प्रसाद है।", "प्रसा", "प्रसाद"),
        ("called โรงแรมสวัสดี and", "โรงแรมสวัสด", "โรงแรมสวัสดี"),
        ("น้ำแข็ง", "น้", "น้ำ"),
        ("قال مُحَمَّد اليوم", "مُحَم", "مُحَمَّد"),
        ("می\u200cروم خانه", "می", "می\u200cروم"),
        ("a 👩\u200d🚀 here", "👩", "👩\u200d🚀"),
        ("a 👍🏽 here", "👍", "👍🏽"),
    ],
)
def test_addresses_brackets_and_letters_stay_whole(text: str, cut: str, whole: str) -> None:
    start = text.index(cut)
    low, high = whole_words(text, start, start + len(cut))
    assert text[low:high] == whole


@pytest.mark.parametrize(
    ("text", "cut", "whole"),
    [
        # Telephones, accounts, versions, names of files and hosts, dates, ratios, flags: in part
        # they say something else, or nothing.
        (
            "mail to first.last+tag@sub.example.co.uk now",
            "last",
            "first.last+tag@sub.example.co.uk",
        ),
        ("mailto:ann@x.org is", "ann", "mailto:ann@x.org"),
        ("in C:\\Users\\Ann\\notes.txt now", "Ann", "C:\\Users\\Ann\\notes.txt"),
        ("on \\\\server\\share\\file.doc now", "share", "\\\\server\\share\\file.doc"),
        ("in /etc/ssh/sshd_config now", "ssh", "/etc/ssh/sshd_config"),
        ("in ~/.ssh/id_rsa now", "ssh", "~/.ssh/id_rsa"),
        ("at 192.168.10.254:8080 now", "168", "192.168.10.254:8080"),
        ("net 10.0.0.0/24 is", "0.0", "10.0.0.0/24"),
        ("at [2001:db8::1]:443 now", "db8", "[2001:db8::1]:443"),
        ("net 2001:db8::/32 is", "db8", "2001:db8::/32"),
        ("mac 00:1A:2B:3C:4D:5E is", "2B", "00:1A:2B:3C:4D:5E"),
        ("mac 00-1A-2B-3C-4D-5E is", "2B", "00-1A-2B-3C-4D-5E"),
        (
            "id 550e8400-e29b-41d4-a716-446655440000 is",
            "41d4",
            "550e8400-e29b-41d4-a716-446655440000",
        ),
        ("doi 10.1000/xyz-123.4 is", "1000", "10.1000/xyz-123.4"),
        ("doi:10.1000/182 is", "10.1000", "doi:10.1000/182"),
        ("ISBN 978-3-16-148410-0 is", "16", "978-3-16-148410-0"),
        ("IBAN DE89 3704 0044 0532 0130 00 is", "3704", "DE89 3704 0044 0532 0130 00"),
        ("call +49 30 1234567 now", "30", "+49 30 1234567"),
        ("call +1-555-0100 now", "555", "+1-555-0100"),
        ("call (030) 1234-567 now", "1234", "(030) 1234-567"),
        ("v2.3.1-rc.1 is", "3", "v2.3.1-rc.1"),
        ("at 2024-05-01T10:00:00Z it", "05", "2024-05-01T10:00:00Z"),
        ("on 2024-05-01 it", "05", "2024-05-01"),
        ("on 01.05.2024 it", "05", "01.05.2024"),
        ("on 5/1/2024 it", "1", "5/1/2024"),
        ("at 10:30 it", "30", "10:30"),
        ("ratio 3:1 is", "3", "3:1"),
        ("costs US$5.00 now", "5", "US$5.00"),
        ("costs 5,00 € now", "5,00", "5,00 €"),
        ("costs €5,00 now", "5", "€5,00"),
        ("costs -40 °C now", "40", "-40 °C"),
        ("is ±0.5 mm", "0", "±0.5"),
        ("is 3.5 × 10⁶ cells", "10", "10⁶"),
        ("is 10⁶ cells", "10", "10⁶"),
        ("is m² big", "m", "m²"),
        ("has H₂O in", "H", "H₂O"),
        ("has CO₂ in", "₂", "CO₂"),
        ("is x_max here", "max", "x_max"),
        ("see file_name-v2.tar.gz now", "name", "file_name-v2.tar.gz"),
        ("by O'Brien here", "Brien", "O'Brien"),
        ("by O’Brien here", "Brien", "O’Brien"),
        ("at AT&T now", "T", "AT&T"),
        ("the .NET way", "NET", ".NET"),
        (
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 is",
            "9f86d0",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ),
        (f"sha512 {'ab' * 64} is", "abab", "ab" * 64),
        ("md5 d41d8cd98f00b204e9800998ecf8427e is", "98f0", "d41d8cd98f00b204e9800998ecf8427e"),
        (
            "key ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8x ok",
            "NzaC1",
            "AAAAC3NzaC1lZDI1NTE5AAAAIJ8x",
        ),
        ("s3://bucket/key/a_b.csv is", "bucket", "s3://bucket/key/a_b.csv"),
        ("git@github.com:org/repo.git is", "github", "git@github.com:org/repo.git"),
        ("ssh://u@h:22/p is", "h", "ssh://u@h:22/p"),
        ("magnet:?xt=urn:btih:abc is", "btih", "magnet:?xt=urn:btih:abc"),
        ("urn:isbn:0451450523 is", "isbn", "urn:isbn:0451450523"),
        ("see <https://a.b/c>, or", "a.b", "https://a.b/c"),
        ('href="https://a.b/c?x=y" is', "a.b", "https://a.b/c?x=y"),
        ("see https://a.b/c! Now", "a.b", "https://a.b/c"),
        ("see https://müller.example/straße now", "ller", "https://müller.example/straße"),
        ("see https://a.b/%E2%82%AC now", "E2", "https://a.b/%E2%82%AC"),
        ("see http://localhost:8080/x now", "local", "http://localhost:8080/x"),
        ("see example.com: now", "example", "example.com"),
        ("by @ann_b now", "ann", "@ann_b"),
        ("CVE-2024-12345 is", "2024", "CVE-2024-12345"),
        ("RFC 9110, section", "9110", "9110"),
        ("about 50 %. Then", "50", "50 %"),
        ("the ﬁnal", "nal", "ﬁnal"),
        ("got Zoe\u0308 Be\u0301jarta\u0308 for", "Be", "Be\u0301jarta\u0308"),
        ("हिन्दी में", "हिन", "हिन्दी"),
        ("தமிழ் மொழி", "தமி", "தமிழ்"),
        ("বাংলা ভাষা", "বাং", "বাংলা"),
        ("بِسْمِ اللهِ", "بِسْ", "بِسْمِ"),
        ("שָׁלוֹם עולם", "שָׁ", "שָׁלוֹם"),
        ("Vie\u0323\u0302t Nam", "Vie", "Vie\u0323\u0302t"),
        (
            "emoji \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 family",
            "\U0001f468",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
        ),
        ("flag \U0001f1e9\U0001f1ea de", "\U0001f1e9", "\U0001f1e9\U0001f1ea"),
        ("hand \U0001f44d\U0001f3fd ok", "\U0001f44d", "\U0001f44d\U0001f3fd"),
        ("key 1\ufe0f\u20e3 ok", "1", "1\ufe0f\u20e3"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0628\u0631\u0648\u0645",
            "می",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        (
            "\u0d9a\u0dca\u200d\u0dbb\u0dd2\u0d9a\u0da7\u0dca \u0d9c\u0dd0\u0db1",
            "ක්",
            "\u0d9a\u0dca\u200d\u0dbb\u0dd2\u0d9a\u0da7\u0dca",
        ),
        ("heart \u2764\ufe0f ok", "❤", "\u2764\ufe0f"),
        ("ខ្មែរ ", "ខ", "ខ្មែ"),
    ],
)
def test_what_is_worth_nothing_in_part_stays_whole(text: str, cut: str, whole: str) -> None:
    start = text.index(cut)
    low, high = whole_words(text, start, start + len(cut))
    assert text[low:high] == whole


@given(st.text("ab1.:/-@()[]$%“” \u0301\u200dहि", max_size=80), st.data())
def test_odd_signs_never_narrow(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    low, high = whole_words(text, start, end)
    assert 0 <= low <= start <= end <= high <= len(text)


@given(st.text(max_size=300), st.data())
def test_never_narrows_nor_leaves_the_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    low, high = whole_words(text, start, end)
    assert 0 <= low <= start <= end <= high <= len(text)
    assert whole_words(text, low, high) == (low, high) or high - low > 64


def test_a_sign_at_the_end_of_the_line_before_is_no_part_of_a_word() -> None:
    """Fault: ``$`` also matches before a line's end, so the dash was glued to the answer."""
    for text in ("see -\nLondon", "costs $\n5", "a (./\nword"):
        start = text.index("\n") + 1
        assert whole_words(text, start, len(text)) == (start, len(text))
