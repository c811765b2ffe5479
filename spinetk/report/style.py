"""Style: the style sheet of the pages, light and dark, on screen and on A4."""

from __future__ import annotations

from spinetk.measure.words import GRADE_COLOURS

_CHIPS = "\n".join(
    f".g{'x' if grade is None else grade} {{ background: rgb{colour} }}" for grade, colour in GRADE_COLOURS.items()
)

STYLE = f"""
:root {{ --ink: #1b1f24; --faint: #59636e; --paper: #fff; --line: #d5dae0; --card: #f5f7f9 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e3e6ea; --faint: #9aa4af; --paper: #14171a; --line: #32383f; --card: #1c2024 }}
}}
* {{ box-sizing: border-box }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: .94rem/1.45 system-ui, sans-serif }}
main {{ max-width: 74rem; margin: 0 auto; padding: 1.5rem 1.25rem 2rem }}
h1 {{ font-size: 1.45rem; margin: 0 }}
h2 {{ font-size: 1.05rem; margin: 1.6rem 0 .4rem }}
.file {{ margin: .1rem 0 0; color: var(--faint); overflow-wrap: anywhere }}
.facts {{ display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1rem 0; padding: 0 }}
.facts dt {{ color: var(--faint); font-size: .82rem }}
.facts dd {{ margin: 0 }}
figure {{ margin: 1rem 0; text-align: center; background: #111316; border-radius: 6px; overflow: hidden }}
figure img {{ display: block; max-width: 100%; max-height: 92vh; margin: 0 auto }}
section {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: .28rem .8rem .28rem 0; text-align: left; border-bottom: 1px solid var(--line) }}
th, td {{ vertical-align: top }}
td.n, td b {{ white-space: nowrap }}
th {{ vertical-align: bottom }}
th {{ color: var(--faint); font-weight: 500; font-size: .85rem }}
.n {{ text-align: right }}
td small {{ color: var(--faint); display: block; font-size: .78em }}
.chip {{ display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .45em;
  border: 1px solid #0006; vertical-align: -.06em; print-color-adjust: exact; -webkit-print-color-adjust: exact }}
{_CHIPS}
ul {{ margin: .3rem 0; padding-left: 1.2rem }}
li {{ overflow-wrap: anywhere }}
footer {{ margin-top: 2rem; padding-top: .6rem; border-top: 1px solid var(--line); font-size: .85rem }}
footer {{ color: var(--faint) }}
footer p {{ margin: .15rem 0 }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 1rem }}
article {{ background: var(--card); border: 1px solid var(--line); border-radius: 6px; overflow: hidden }}
article a {{ color: inherit; text-decoration: none; display: block; height: 100% }}
article a:hover h2, article a:focus h2 {{ text-decoration: underline }}
article img {{ display: block; width: 100%; height: 15rem; object-fit: contain; background: #111316 }}
article h2 {{ font-size: .95rem; margin: .6rem .75rem .2rem; overflow-wrap: anywhere }}
article p {{ margin: 0 .75rem; font-size: .85rem; color: var(--faint) }}
article p:last-child {{ margin-bottom: .7rem }}
@page {{ size: A4; margin: 14mm }}
@media print {{
  :root {{ --ink: #000; --faint: #444; --paper: #fff; --line: #bbb; --card: #fff }}
  html {{ font-size: 10px }}
  section {{ overflow: visible }}
  th, td {{ padding: .16rem .9rem .16rem 0 }}
  h2 {{ margin-top: 1rem }}
  main {{ max-width: none; padding: 0 }}
  figure img {{ max-height: 130mm }}
  tr, article, figure, footer {{ break-inside: avoid }}
  h2 {{ break-after: avoid }}
  .cards {{ grid-template-columns: repeat(4, 1fr) }}
  article img {{ height: 45mm }}
}}
"""
