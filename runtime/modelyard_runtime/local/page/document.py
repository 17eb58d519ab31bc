"""Assembles the page from its style, script and sections."""

from __future__ import annotations

import re

from modelyard_runtime.local.page.markup import Markup, join, tag
from modelyard_runtime.local.page.sections import View, sections, summary

_STYLE_START = re.compile("<style>")
_STYLE = """\
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --edge: #d1d9e0; --raised: #f6f8fa; --page: #ffffff;
  --accent: #0969da; --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #f0f6fc; --soft: #9198a1; --edge: #3d444d; --raised: #151b23;
  --page: #0d1117; --accent: #4493f8; --good: #3fb950; --bad: #f85149; --warn: #d29922; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0 auto;
  max-width: 1120px; padding: 1rem; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2rem 0 .6rem; font-size: 1.2rem; } h3 { margin: .8rem 0 .3rem; }
p { margin: .2rem 0; } a { color: var(--accent); } small, .hint, figcaption, time { color: var(--soft); }
code { font-size: .9em; } ul { margin: .3rem 0; padding-left: 1.2rem; }
#gone { background: var(--warn); color: var(--page); padding: .4rem .8rem; border-radius: 6px; }
.drawing, .wide { overflow-x: auto; } .drawing { margin: 1rem 0 0; border: 1px solid var(--edge); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { border-bottom: 1px solid var(--edge); padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top;
  overflow-wrap: normal; }
td:last-child { overflow-wrap: anywhere; min-width: 14rem; } td time { white-space: nowrap; }
@media (max-width: 700px) { .log thead { display: none; } .log tr { display: block; padding: .4rem 0;
  border-bottom: 1px solid var(--edge); } .log td { display: inline-block; border: 0; padding: 0 .6rem 0 0; }
  .log td:last-child { display: block; min-width: 0; } }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 1em; padding: 0 .6em; font-size: .85em;
  color: var(--soft); white-space: nowrap; margin-right: .3em; }
.promotion, .start, .requested { color: var(--good); } .breach, .failed { color: var(--bad); }
.rollback, .retried, .interrupted, .replaced, .skipped { color: var(--warn); } .gate { color: var(--accent); }
article { border: 1px solid var(--edge); border-radius: 6px; background: var(--raised); padding: .2rem 1rem 1rem;
  margin-bottom: 1rem; }
.fields, .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: .8rem; }
.charts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
label span { display: block; }
input, select, textarea { width: 100%; font: inherit; color: inherit; padding: .3rem .5rem;
  background: var(--page); border: 1px solid var(--edge); border-radius: 6px; }
button { font: inherit; margin: .8rem .8rem 0 0; padding: .4rem 1.2rem; border: 0; border-radius: 6px; cursor: pointer;
  background: var(--accent); color: var(--page); }
output { display: block; white-space: pre-wrap; font: 13px/1.5 ui-monospace, monospace; margin-top: .8rem; }
output.refused { color: var(--bad); }
.chart { margin: 0; border: 1px solid var(--edge); border-radius: 6px; padding: .6rem; }
.chart li { break-inside: avoid; } .chart ul { list-style: none; padding: 0; font-size: .85rem; columns: 2; }
.plot { width: 100%; height: auto; } .plot text { font: 9px sans-serif; fill: var(--soft); }
.plot .end { text-anchor: end; } .plot .begin { text-anchor: start; }
.grid { stroke: var(--edge); stroke-width: .5; } .bound { stroke: var(--bad); stroke-dasharray: 4 3; }
.series { fill: none; stroke-width: 1.5; stroke: currentColor; } .last { fill: currentColor; }
.swatch { display: inline-block; width: .7em; height: .7em; margin-right: .4em; background: currentColor; }
.c0 { color: #0969da; } .c1 { color: #bc4c00; } .c2 { color: #1a7f37; } .c3 { color: #8250df; } .c4 { color: #bf3989; }
.c5 { color: #8a6a00; }
"""
_SCRIPT = """\
"use strict";
const gone = document.getElementById("gone");
async function renew() {
  if (document.hidden) return;
  try {
    const answer = await fetch("live", { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = next.getElementById(part.id);
      if (!other) continue;
      const same = part.dataset.key ? part.dataset.key === other.dataset.key : part.outerHTML === other.outerHTML;
      if (!same) part.replaceWith(document.adoptNode(other));
    }
    gone.hidden = true;
  } catch { gone.hidden = false; }
}
async function predict(event) {
  const form = event.target, output = form.querySelector("output");
  event.preventDefault();
  output.classList.remove("refused");
  output.textContent = "…";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const content = await answer.json();
    output.classList.toggle("refused", content.status !== 200);
    output.textContent = content.status === 200 ? content.answer : `${content.status || ""} ${content.answer}`.trim();
  } catch { output.classList.add("refused"); output.textContent = "the run has ended"; }
}
document.addEventListener("submit", predict);
setInterval(renew, 3000);
"""


def live(view: View) -> str:
    """Return the content that the script refreshes, which excludes the drawing, style and script."""
    return join((summary(view), sections(view)))


def document(view: View, drawing: str, nonce: str) -> str:
    """Return the page. `drawing` is the compiler's SVG, where the system's names have already been escaped."""
    plan = view.watch.plan
    title = f"{plan.system} ({plan.environment})"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} on this machine"),
        tag("style", Markup(_STYLE), nonce=nonce),
    )
    figure = tag("figure", Markup(_STYLE_START.sub(f'<style nonce="{nonce}">', drawing)), class_="drawing")
    body = tag(
        "body",
        tag("h1", title),
        tag("p", "the run has ended, so what is below is no longer current", id="gone", hidden=""),
        summary(view),
        figure if drawing else "",
        sections(view),
        tag("script", Markup(_SCRIPT), nonce=nonce),
    )
    return join((Markup("<!doctype html>\n"), tag("html", head, body, lang="en"), Markup("\n")))
