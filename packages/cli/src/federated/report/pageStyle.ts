/** Colours told apart by people who see few of them: ten for light paper, ten for dark. Attackers are the fourth. */
const colours = {
  light: '#2166c9 #d96a00 #13805a #c1294a #7445c0 #80601c #c0539c #5b6472 #8a8700 #0a8399',
  dark: '#74acff #ffab52 #52cfa3 #ff7f97 #b89cff #d0b072 #f3a2d9 #aab3c0 #d3d04a #55d3e6',
} as const

const names = (list: string): string =>
  list
    .split(' ')
    .map((colour, i) => `--c${i}:${colour}`)
    .join(';')

/** The whole style of a report; nothing is loaded from elsewhere. */
export const pageStyle = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--quiet:#57606a;--grid:#d8dde3;--panel:#f5f7f9;${names(colours.light)}}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e8ebee;--quiet:#a3acb6;--grid:#363c43;--panel:#1d2125;${names(colours.dark)}}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:0}
p{margin:.25rem 0 .75rem}.quiet,figcaption p{color:var(--quiet)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.75rem;margin:1.25rem 0;padding:0;list-style:none}
.tiles li{background:var(--panel);border-radius:8px;padding:.75rem 1rem}
.tiles b{display:block;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}.tiles span{color:var(--quiet);font-size:.875rem}
figure{margin:2.25rem 0}.picture{overflow-x:auto}svg{display:block;width:100%;min-width:34rem;height:auto}
svg text{fill:var(--quiet);font-size:12px}svg .name{font-weight:600}
.grid{stroke:var(--grid);stroke-width:1;fill:none}.line{fill:none;stroke-width:2;stroke-linejoin:round}
.unused{fill:var(--panel)}
${Array.from({ length: 10 }, (_, i) => `rect.c${i},circle.c${i},text.c${i}{fill:var(--c${i})}path.c${i}{stroke:var(--c${i})}i.c${i}{background:var(--c${i})}`).join('\n')}
rect.marked{stroke:var(--c3);stroke-width:2}
.legend span{display:inline-block;margin-right:1rem;color:var(--quiet);font-size:.875rem}.legend i{display:inline-block;width:.75rem;height:.75rem;border-radius:2px;margin-right:.35rem}
details{margin-top:.5rem}summary{cursor:pointer;color:var(--quiet);font-size:.875rem}
.scroll{overflow:auto;max-height:24rem}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;margin:.5rem 0}
th,td{text-align:right;padding:.2rem .75rem .2rem 0;border-bottom:1px solid var(--grid);font-weight:400}
th[scope=row]{text-align:left}thead th{color:var(--quiet);text-align:right}thead th:first-child{text-align:left}
.settings td,.settings thead th{text-align:left}
`
