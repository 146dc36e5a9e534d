/** Look of the report: light and dark, for print, narrow and wide; and the one script, for comfort only. Pure. */
import { createHash } from 'node:crypto'

const LIGHT = `--ground:#f6f7f9;--card:#fff;--ink:#16202b;--soft:#51606f;--line:#d5dbe1;--band:#eef1f4;--link:#0b5cad;
--good:#1b6e3c;--good-ground:#e3f4e8;--bad:#b3261e;--bad-ground:#fce8e6;--fault:#b3261e;--alert:#a15c00;--transaction:#1d5fa8;--payment:#1b6e3c;--note:#6a7683;
--mark-ink:#fff;--behind:#c3ccd5;--ruler:#cfdbea;--plain:#3c76b4;--muted:#8a95a1`

const DARK = `--ground:#10151b;--card:#182029;--ink:#e6ebf0;--soft:#a3b0bc;--line:#33404c;--band:#202a35;--link:#7db8f5;
--good:#6fd394;--good-ground:#143222;--bad:#ff8f86;--bad-ground:#431c1a;--fault:#ff8f86;--alert:#f2b457;--transaction:#7db8f5;--payment:#6fd394;--note:#98a5b1;
--mark-ink:#10151b;--behind:#44525f;--ruler:#2f4358;--plain:#6aa5e0;--muted:#7c8995`

export const PAGE_STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
header.page,main,footer{max-width:1160px;margin:0 auto;padding:0 16px}
.brand{color:var(--soft);font-weight:600;letter-spacing:.02em;margin:20px 0 12px}
h1,h2{font-size:1.6rem;line-height:1.25;margin:.2em 0 .3em}
h3{font-size:1.15rem;margin:0 0 .7em;scroll-margin-top:12px}
h4{font-size:.95rem;margin:1.2em 0 .5em}
p{margin:.4em 0}
a{color:var(--link)}
a:focus-visible,button:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999px}
.skip:focus{left:8px;top:8px;background:var(--card);padding:6px 10px}
article{margin:0 0 40px;scroll-margin-top:12px}
section,.verdict,header.page .scroll{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:18px 20px;margin:14px 0}
.verdict{border-left:8px solid var(--good);background:var(--good-ground)}
.verdict.bad{border-left-color:var(--bad);border-left-style:double;background:var(--bad-ground)}
.verdict h1,.verdict h2{color:var(--good)}
.verdict.bad h1,.verdict.bad h2{color:var(--bad)}
.name code{margin-left:.4em}
.story{font-size:1.08rem;max-width:75ch;margin:14px 4px}
code{font:.88em/1.4 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--band);padding:.1em .35em;border-radius:4px}
.facts{display:flex;flex-wrap:wrap;gap:8px 28px;margin:12px 4px}
.facts dt{color:var(--soft);font-size:.82rem}
.facts dd{margin:0}
.again{margin:12px 4px;display:flex;flex-wrap:wrap;gap:8px;align-items:baseline}
.again span{color:var(--soft)}
.again code{user-select:all}
button{font:inherit;font-size:.85rem;border:1px solid var(--line);background:var(--card);color:var(--link);border-radius:5px;padding:1px 10px;cursor:pointer}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;margin:12px 4px}
.fine,small,.legend{color:var(--soft);font-size:.83rem}
small{display:block}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;align-items:center}
.legend span{display:inline-flex;align-items:center;gap:6px}
.bad-note{border-left:4px double var(--bad);padding-left:10px;color:var(--bad)}
.badge{white-space:nowrap;font-weight:600;color:var(--good)}
.badge.bad{color:var(--bad)}
.scroll{overflow-x:auto;margin:12px 0}
details .scroll{max-height:75vh;overflow-y:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem;overflow-wrap:normal}
caption{text-align:left;color:var(--soft);font-size:.85rem;padding:0 0 6px}
th,td{text-align:left;vertical-align:top;padding:6px 14px 6px 0;border-bottom:1px solid var(--line)}
th:last-child,td:last-child{padding-right:4px}
td.text:last-child{overflow-wrap:anywhere;min-width:9em}
thead th{color:var(--soft);font-weight:600;font-size:.82rem;background:var(--card);position:sticky;top:0}
tbody th{font-weight:400;min-width:7em}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.number small{font-size:.76rem}
details{margin:12px 0}
summary{cursor:pointer;color:var(--link)}
figure{margin:16px 0 8px}
.steps{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(5,1fr);gap:10px}
.steps li{border-top:5px solid var(--plain);padding:8px 0 0;font-size:.85rem;color:var(--soft)}
.steps li strong{color:var(--ink);font-size:1rem}
.steps span{display:block}
.steps .when{color:var(--ink);font-weight:600;margin:4px 0 2px}
.steps .step-fault{border-top-color:var(--fault)}
.steps .step-paid{border-top-color:var(--good)}
.steps .never{border-top-style:dashed;border-top-color:var(--muted)}
svg:not(.key){display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.key{flex:none}
svg text{fill:var(--ink)}
svg .gutter{font-size:12px}
svg .small{font-size:11.5px;fill:var(--soft)}
.band{fill:var(--band)}
.ruler rect{fill:var(--ruler);stroke:var(--plain);stroke-width:.7}
.axis line{stroke:var(--soft)}
.axis text{font-size:11px;fill:var(--soft)}
.flag line{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}
.flag rect{fill:var(--card);stroke:var(--soft)}
.flag text{font-size:11.5px;font-weight:600}
.flag circle{fill:var(--soft)}
.flag-fault line,.flag-fault rect{stroke:var(--fault)}
.flag-paid line,.flag-paid rect{stroke:var(--good)}
.mark{stroke:var(--card);stroke-width:1}
.mark .count{fill:var(--mark-ink);stroke:none;font-size:9.5px;font-weight:700}
.mark .long{font-size:7.5px}
.lane .gutter{paint-order:stroke;stroke:var(--band);stroke-width:3px}
.on-wide .lane .gutter{stroke:none}
.ruler text{paint-order:stroke;stroke:var(--card);stroke-width:3px}
.kind-fault{fill:var(--fault)}.kind-alert{fill:var(--alert)}.kind-transaction{fill:var(--transaction)}.kind-payment{fill:var(--payment)}.kind-note,.kind-milestone{fill:var(--note)}
.track{fill:var(--band)}.behind{fill:var(--behind)}
.tone-good{fill:var(--good)}.tone-bad{fill:var(--bad)}.tone-plain{fill:var(--plain)}.tone-muted{fill:var(--muted)}
.owed{stroke:var(--ink);stroke-width:2.5}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:24px}
.on-narrow{display:none}
footer{color:var(--soft);font-size:.83rem;padding-bottom:30px}
@media screen and (max-width:759px){
.on-wide{display:none}.on-narrow{display:block}
.on-narrow svg{width:100%}
.pair{grid-template-columns:1fr;gap:0}
section,.verdict,header.page .scroll{padding:14px 12px}
header.page,main,footer{padding:0 8px}
h1,h2{font-size:1.3rem}
table,tbody,tr,tbody th,td,caption{display:block}
thead{position:absolute;left:-9999px}
tr{border-bottom:1px solid var(--line);padding:6px 0}
tbody th,td{border:0;padding:1px 4px 1px 0;min-width:0}
td{display:grid;grid-template-columns:7.5em 1fr;column-gap:8px;text-align:left;white-space:normal;overflow-wrap:anywhere}
td.number{text-align:left}
td::before{content:attr(data-head);text-align:left;color:var(--soft);font-size:.82rem}
td>*{grid-column:2}
.steps{grid-template-columns:1fr;gap:6px}
.steps li{border-top:0;border-left:5px solid var(--plain);padding:2px 0 6px 10px}
.steps .step-fault{border-left-color:var(--fault)}.steps .step-paid{border-left-color:var(--good)}.steps .never{border-left:5px dashed var(--muted)}
}
@media print{
:root{color-scheme:light;${LIGHT};--ground:#fff}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:11pt}
nav,button,.skip{display:none!important}
.on-wide{display:block}.on-narrow{display:none}
details .scroll{max-height:none;overflow:visible}
thead th{position:static}
details::details-content{content-visibility:visible;display:block}
figure,tr,.verdict,.steps,.bars{break-inside:avoid}
article+article{break-before:page}
table{font-size:8.5pt}.number{white-space:normal}
}
`

/** Copies a command; unfolds everything for print. The page says all without it. */
export const PAGE_SCRIPT = `
for(const button of document.querySelectorAll('.again button')){if(!navigator.clipboard)break;button.hidden=false
button.addEventListener('click',async()=>{await navigator.clipboard.writeText(button.previousElementSibling.textContent);button.textContent='Copied'})}
addEventListener('beforeprint',()=>{for(const one of document.querySelectorAll('details'))one.open=true})
`

/** Lets the page run its own script and none that a record brings. */
export const scriptHash = () => `sha256-${createHash('sha256').update(PAGE_SCRIPT).digest('base64')}`
