"""How the HTML page looks."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c1f24; --quiet: #5d6673; --line: #dfe3e8; --card: #f6f7f9;
  --start: #2563eb; --end: #ea580c; --best: #fde68a; --other: #e5e7eb; --expected: #15803d;
  --good: #15803d; --bad: #b45309;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171c; --ink: #e6e9ee; --quiet: #9aa4b2; --line: #2c323b; --card: #1b1f26;
    --start: #60a5fa; --end: #fb923c; --best: #5b4a0c; --other: #333a45; --expected: #4ade80;
    --good: #4ade80; --bad: #fbbf24;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 58rem;
  background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: anywhere;
}
.kicker { margin: 0; color: var(--quiet); font-size: .85rem; }
h1 { margin: .2rem 0 1rem; font-size: 1.6rem; line-height: 1.25; text-wrap: balance; }
h2 { margin: 0 0 .5rem; font-size: 1.05rem; }
h2 small { color: var(--quiet); font-weight: normal; }
.answers { margin: 0 0 1rem; padding-left: 1.4rem; }
.answers li { margin: .15rem 0; }
.answers span { margin-left: .6rem; color: var(--quiet); font-size: .9rem; }
.diagnosis { margin: 1rem 0; padding: .8rem 1rem; border-left: 4px solid var(--bad);
  background: var(--card); }
.diagnosis.right { border-color: var(--good); }
.diagnosis p { margin: 0; }
.read, .legend p, .likeliest { color: var(--quiet); font-size: .9rem; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; align-items: baseline;
  margin: 1.5rem 0; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 6px;
  font-size: .9rem; line-height: 2.1; }
.legend p { flex-basis: 100%; margin: 0; line-height: 1.5; }
.window { margin: 2rem 0 0; padding-top: 1.2rem; border-top: 1px solid var(--line); }
.facts { margin: 0 0 .8rem; padding: 0; list-style: none; color: var(--quiet); font-size: .9rem;
  font-variant-numeric: tabular-nums; }
.text { padding: .9rem 1rem; background: var(--card); border-radius: 6px; line-height: 2.15;
  white-space: pre-wrap; }
.t { padding: 7px 0;
  background:
    linear-gradient(var(--start), var(--start)) 0 calc((1 - var(--s, 0)) * 7px) / 100%
      calc(var(--s, 0) * 7px) no-repeat,
    linear-gradient(var(--end), var(--end)) 0 calc(100% - (1 - var(--e, 0)) * 7px) / 100%
      calc(var(--e, 0) * 7px) no-repeat; }
.t:hover { outline: 1px solid var(--quiet); }
mark { color: inherit; border-radius: 3px; padding: 1px 2px; }
mark.best { background: var(--best); }
mark.other { background: var(--other); }
mark sup { margin-right: .2em; color: var(--quiet); font-size: .65em; line-height: 0; }
.expected { text-decoration: underline 2px var(--expected); text-underline-offset: 3px; }
table { width: 100%; margin-top: .8rem; border-collapse: collapse; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem .25rem 0; text-align: right; vertical-align: baseline; }
th { color: var(--quiet); font-weight: normal; }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
tbody tr { border-top: 1px solid var(--line); }
tbody tr:first-child .words { font-weight: 600; }
"""
