/** How the page and the reference look: light and dark, from a phone to a wide screen. */
export const style = `
:root {
  color-scheme: light dark;
  --bg: light-dark(#f4f5f8, #0d1015);
  --surface: light-dark(#ffffff, #151a21);
  --sunken: light-dark(#f4f5f8, #0f1319);
  --ink: light-dark(#161a22, #e7ebf1);
  --muted: light-dark(#5a6373, #98a3b3);
  --line: light-dark(#e2e5eb, #262d37);
  --strong: light-dark(#c6ccd6, #3a4452);
  --accent: light-dark(#3446c4, #a2b0ff);
  --accent-soft: light-dark(#eceefc, #1f2747);
  --on-accent: light-dark(#ffffff, #10142b);
  --good: light-dark(#0e6b4a, #62d2a2);
  --good-soft: light-dark(#e0f4ec, #12302a);
  --warn: light-dark(#8a4b00, #f2bd6b);
  --warn-soft: light-dark(#fcf0dc, #35280f);
  --bad: light-dark(#b3202f, #ff9296);
  --bad-soft: light-dark(#fce8e9, #3a1a1f);
  --radius: 12px;
  --mono: ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
:root[data-theme="light"] { color-scheme: light }
:root[data-theme="dark"] { color-scheme: dark }
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 4.5rem }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth } }
body {
  margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.5 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
}
h1, h2, p, ul, ol, dl, dd, fieldset { margin: 0; padding: 0 }
ul, ol { list-style: none }
h1 { font-size: 1.0625rem; font-weight: 650; letter-spacing: -0.01em }
h2 { font-size: 0.9375rem; font-weight: 650; letter-spacing: -0.005em }
h2:focus { outline: none }
a { color: var(--accent); text-underline-offset: 3px }
code, .mono { font-family: var(--mono); font-size: 0.92em }
.muted, .meta { color: var(--muted) }
.meta { font-size: 0.8125rem; overflow-wrap: anywhere }
.who { font-weight: 550; overflow-wrap: anywhere }
.who .muted { font-weight: 400 }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.skip { position: absolute; left: 12px; top: -60px; z-index: 9; background: var(--accent); color: var(--on-accent); padding: 10px 16px; border-radius: 8px }
.skip:focus { top: 10px }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 6px }
[hidden] { display: none !important }

header.top { background: var(--surface); border-bottom: 1px solid var(--line) }
.bar { max-width: 1400px; margin: 0 auto; padding: 12px 24px; display: flex; align-items: center; gap: 10px 20px; flex-wrap: wrap }
.bar > button { margin-right: -12px }
.bar > button b { font-weight: inherit }
.brand { display: flex; align-items: center; gap: 10px; margin-right: auto }
.mark { width: 28px; height: 28px; flex: none }
.facts { display: flex; gap: 8px 20px; flex-wrap: wrap; font-size: 0.8125rem; align-items: center }
.facts div { display: flex; gap: 6px; align-items: center; min-width: 0 }
.facts dt { color: var(--muted); white-space: nowrap }
.facts dd { display: flex; gap: 4px; align-items: center; min-width: 0 }
.facts code { overflow-wrap: anywhere }
.dot::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 50%; background: var(--warn) }
.dot.on::before { background: var(--good) }
.dot { font-size: 0.8125rem; color: var(--muted); white-space: nowrap }

nav.tabs { position: sticky; top: 0; z-index: 5; background: color-mix(in srgb, var(--surface) 92%, transparent); backdrop-filter: blur(8px); border-bottom: 1px solid var(--line) }
nav.tabs ul { max-width: 1400px; margin: 0 auto; padding: 0 18px; display: flex; gap: 2px; overflow-x: auto; scrollbar-width: none }
nav.tabs a { display: block; padding: 10px 10px 9px; color: var(--muted); text-decoration: none; font-size: 0.875rem; white-space: nowrap; border-bottom: 2px solid transparent }
nav.tabs a:hover { color: var(--ink); border-color: var(--strong) }
.n { font-variant-numeric: tabular-nums; font-size: 0.75rem; padding: 0 6px; margin-left: 4px; border-radius: 20px; background: var(--sunken); border: 1px solid var(--line); color: var(--muted); font-weight: 500 }

main { max-width: 1400px; margin: 0 auto; padding: 20px 24px 48px; display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr) }
section { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); min-width: 0; overflow: clip }
.head { display: flex; align-items: center; gap: 8px; padding: 12px 16px; min-height: 54px; border-bottom: 1px solid var(--line); flex-wrap: wrap }
.head h2 { margin-right: auto }
.body { padding: 14px 16px }
.list > li { padding: 12px 16px; border-top: 1px solid var(--line) }
.list > li:first-child { border-top: 0 }
.scroll { max-height: 29rem; overflow: auto; overscroll-behavior: contain }
.none { padding: 22px 16px; color: var(--muted); font-size: 0.875rem; text-wrap: balance }
.none b { color: var(--ink); font-weight: 550 }
.row { display: flex; gap: 8px 12px; align-items: center; flex-wrap: wrap }
.grow { flex: 1 1 11rem; min-width: 0 }
.actions { display: flex; gap: 6px; flex: none }
@media (prefers-reduced-motion: no-preference) {
  .fresh { animation: fresh 2.4s ease-out }
  @keyframes fresh { from { background: var(--accent-soft) } to { background: transparent } }
}

button, input, select {
  font: inherit; font-size: 0.875rem; color: var(--ink); background: var(--surface);
  border: 1px solid var(--strong); border-radius: 8px; padding: 6px 12px; min-height: 36px;
}
button { cursor: pointer; font-weight: 550; white-space: nowrap; font-size: 0.8125rem }
button:hover { border-color: var(--muted); background: var(--sunken) }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); min-width: 78px }
button.primary:hover { filter: brightness(1.08) }
button.primary.done { background: var(--good); border-color: var(--good) }
button.danger { color: var(--bad); border-color: var(--line) }
button.danger:hover { background: var(--bad-soft); border-color: var(--bad) }
button[data-armed="yes"] { background: var(--bad); border-color: var(--bad); color: light-dark(#fff, #2b0d10) }
button.ghost { border-color: transparent; background: transparent; color: var(--muted) }
button.ghost:hover { background: var(--sunken); color: var(--ink) }
button.tiny { min-height: 26px; padding: 1px 8px; font-size: 0.75rem; border-color: var(--line) }
input[type="checkbox"] { min-height: 0; width: 16px; height: 16px; margin: 0; accent-color: var(--accent) }
label.check { display: flex; gap: 7px; align-items: center; font-size: 0.8125rem; color: var(--muted); white-space: nowrap }

.badge { display: inline-block; font-size: 0.75rem; font-weight: 550; line-height: 1.45; padding: 1px 8px; border-radius: 20px; white-space: nowrap; vertical-align: 1px; background: var(--sunken); color: var(--muted); border: 1px solid var(--line) }
.badge.good { background: var(--good-soft); color: var(--good); border-color: transparent }
.badge.warn { background: var(--warn-soft); color: var(--warn); border-color: transparent }
.badge.bad { background: var(--bad-soft); color: var(--bad); border-color: transparent }
.badge.accent { background: var(--accent-soft); color: var(--accent); border-color: transparent }

.code-line { display: flex; align-items: center; gap: 12px; justify-content: space-between; margin-bottom: 2px }
.code { font-size: 1.625rem; font-weight: 600; letter-spacing: 0.12em; line-height: 1.3; overflow-wrap: anywhere; user-select: all }
.code.off { color: var(--muted); font-weight: 450; font-size: 1.125rem; text-decoration: line-through; text-decoration-thickness: 1px; user-select: text }
.left { font-variant-numeric: tabular-nums; white-space: nowrap }

.clock-time { font-size: 1.625rem; font-weight: 600; letter-spacing: 0.02em; font-variant-numeric: tabular-nums }
.group { margin-top: 14px }
.group > p { font-size: 0.8125rem; color: var(--muted); margin-bottom: 6px }
.buttons { display: flex; gap: 6px; flex-wrap: wrap }

details.add { border-top: 1px solid var(--line); background: var(--sunken) }
details.add > summary { padding: 12px 16px; cursor: pointer; font-size: 0.8125rem; font-weight: 550; color: var(--accent); list-style: none }
details.add > summary::-webkit-details-marker { display: none }
details.add > summary::before { content: "+"; display: inline-block; width: 1.1em; font-weight: 650 }
details.add[open] > summary::before { content: "–" }
details.add > summary:focus-visible { outline-offset: -3px }
form.fault { display: grid; gap: 10px; grid-template-columns: repeat(6, minmax(0, 1fr)); padding: 2px 16px 16px }
form.fault label { display: grid; gap: 4px; font-size: 0.8125rem; color: var(--muted); grid-column: span 2 }
form.fault label.wide { grid-column: span 6 }
form.fault label.half { grid-column: span 3 }
form.fault input, form.fault select { width: 100%; min-width: 0 }
form.fault .buttons { grid-column: 1 / -1 }

.tools { display: flex; gap: 10px 14px; align-items: center; flex-wrap: wrap }
.tools input[type="search"] { width: 18rem; min-width: 0 }
.log > li { display: grid; grid-template-columns: 72px 74px minmax(0, 1fr) minmax(0, 15rem) 84px; gap: 2px 12px; align-items: baseline; padding: 7px 16px; font-size: 0.8125rem }
.log .t { color: var(--muted) }
.log .op { overflow-wrap: anywhere }
.log .op b { font-weight: 550; margin-right: 6px }
.log .path { color: var(--muted) }
.log .u { color: var(--muted); overflow-wrap: anywhere }
.log .d { text-align: right; color: var(--muted) }
.log .why { grid-column: 3 / -1; color: var(--muted); overflow-wrap: anywhere; padding-left: 10px; border-left: 2px solid var(--strong) }

.toast { position: fixed; left: 50%; bottom: 24px; translate: -50% 0; z-index: 10; background: var(--ink); color: var(--bg); padding: 10px 16px; border-radius: 10px; font-size: 0.875rem; max-width: min(90vw, 34rem); box-shadow: 0 8px 30px rgb(0 0 0 / 0.25) }
.toast.bad { background: var(--bad); color: light-dark(#fff, #2b0d10) }
footer { max-width: 1400px; margin: -24px auto 0; padding: 0 24px 32px; color: var(--muted); font-size: 0.8125rem; display: flex; gap: 6px 18px; flex-wrap: wrap }

@media (min-width: 1000px) {
  main { grid-template-columns: minmax(0, 8fr) minmax(0, 11fr) minmax(0, 8fr); align-items: start }
  .column { display: grid; gap: 16px; align-content: start }
  #requests { grid-column: 1 / -1 }
}
@media (min-width: 1000px) and (max-width: 1199px) {
  main { grid-template-columns: repeat(2, minmax(0, 1fr)) }
  .column.right { grid-column: 1 / -1; grid-template-columns: repeat(2, minmax(0, 1fr)) }
}
@media (max-width: 999px) { .column { display: contents } }
@media (max-width: 640px) {
  .bar { padding: 12px 16px; gap: 8px }
  .brand { flex: 1; min-width: 0; flex-wrap: wrap; gap: 4px 8px }
  .bar > button span { position: absolute; width: 1px; overflow: hidden; clip-path: inset(50%) }
  .bar > button::before { content: "◐" / ""; margin-right: 6px }
  .facts { order: 3; width: 100%; gap: 2px 18px }
  nav.tabs ul { padding: 0 8px }
  main { padding: 12px 12px 40px; gap: 12px }
  footer { padding: 0 16px 28px }
  button { min-height: 40px }
  button.tiny { min-height: 32px }
  input, select { min-height: 42px; font-size: 16px }
  .tools, .tools input[type="search"] { width: 100% }
  .log > li { grid-template-columns: auto auto minmax(0, 1fr); padding: 10px 16px }
  .log .d { grid-column: 3; grid-row: 1 }
  .log .op, .log .why { grid-column: 1 / -1 }
  .log .path { display: block }
  .log .u { grid-column: 1 / -1 }
  .log .u:empty { display: none }
  form.fault label, form.fault label.half { grid-column: span 3 }
  form.fault label.wide { grid-column: span 6 }
}

.doc { max-width: 980px; margin: 0 auto; padding: 20px 24px 60px; display: block }
.doc section { margin-top: 16px; padding: 0 }
.doc .lead { margin: 8px 0 16px; color: var(--muted); max-width: 65ch }
.doc h2 { font-size: 1.125rem; padding: 14px 16px; border-bottom: 1px solid var(--line) }
.doc details { border-top: 1px solid var(--line) }
.doc details:first-of-type { border-top: 0 }
.doc summary { display: flex; gap: 10px; padding: 10px 16px; cursor: pointer; align-items: baseline; flex-wrap: wrap; list-style: none }
.doc summary::-webkit-details-marker { display: none }
.doc summary:hover { background: var(--sunken) }
.doc summary .path { overflow-wrap: anywhere; flex: 1 1 20rem }
.doc summary .what { color: var(--muted); font-size: 0.875rem }
.doc .verb { font-family: var(--mono); font-size: 0.75rem; font-weight: 650; min-width: 58px; color: var(--accent) }
.doc .inner { padding: 4px 16px 16px; background: var(--sunken); border-top: 1px solid var(--line) }
.doc h3 { font-size: 0.8125rem; margin: 14px 0 4px; color: var(--muted); font-weight: 550 }
.doc pre { margin: 0; padding: 10px 12px; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; font: 0.8125rem/1.5 var(--mono); max-height: 24rem; tab-size: 2 }
`
