#include "engine/console/page.hpp"

namespace console {

namespace {

constexpr std::string_view style = R"(:root{color-scheme:light dark;
--ground:#f6f5f2;--card:#fff;--ink:#1d2125;--soft:#5c646d;--line:#dcd9d2;--brass:#8a5a12;--deep:#6d460c;
--good:#1f7a44;--good-ground:#e3f3e8;--wait:#8a5a00;--wait-ground:#fbefd5;--bad:#b3261e;--bad-ground:#fbe5e3;--code:#f0eee9}
@media(prefers-color-scheme:dark){:root{
--ground:#15171a;--card:#1e2125;--ink:#e9e7e2;--soft:#a2a9b1;--line:#343a41;--brass:#e0a84e;--deep:#f0c27a;
--good:#7fd49f;--good-ground:#173424;--wait:#eec271;--wait-ground:#382c12;--bad:#ff9d94;--bad-ground:#43201d;--code:#292d32}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
header{background:var(--card);border-bottom:1px solid var(--line)}
header>div{max-width:56rem;margin:0 auto;padding:.7rem 1.25rem;display:flex;align-items:center;justify-content:space-between}
.mark{font-weight:700;letter-spacing:.01em;color:var(--ink);text-decoration:none}
.mark::before{content:"";display:inline-block;width:1.5em;height:.62em;margin-right:.55em;border:.14em solid var(--brass);
border-radius:1em;vertical-align:-.04em}
main{max-width:56rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.5rem;line-height:1.25;margin:.6rem 0 1rem;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:2rem 0 .7rem}
p{margin:.6rem 0}
a{color:var(--brass)}a:hover{color:var(--deep)}
.soft{color:var(--soft)}
.crumb{margin:0;font-size:.9rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:1.1rem 1.25rem;margin:1rem 0}
.card>:first-child{margin-top:0}.card>:last-child{margin-bottom:0}
.narrow{max-width:27rem;margin:2rem auto}
.rows{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:.7rem}
.rows li{padding:.8rem 1.1rem;border-top:1px solid var(--line)}.rows li:first-child{border-top:0}
.rows .top{display:flex;flex-wrap:wrap;gap:.3rem .8rem;align-items:baseline}
.rows .top>:first-child{font-weight:600}
.rows .top .state{margin-left:auto}
.rows p{margin:.25rem 0 0;font-size:.93rem;overflow-wrap:anywhere}
.state{font-size:.8rem;font-weight:600;padding:.12rem .6rem;border-radius:1rem;white-space:nowrap;
background:var(--code);color:var(--soft)}
.state.good{background:var(--good-ground);color:var(--good)}
.state.wait{background:var(--wait-ground);color:var(--wait)}
.state.bad{background:var(--bad-ground);color:var(--bad)}
.remedy,.note{border-left:4px solid var(--brass);padding:.1rem 0 .1rem .9rem;margin:1rem 0}
.note{border-color:var(--line)}
.wrong{background:var(--bad-ground);color:var(--bad);border-radius:.5rem;padding:.6rem .9rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.2rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--code);border-radius:.3rem;
padding:.1rem .35rem;overflow-wrap:anywhere}
.code{font:600 1.7rem ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em;margin:.5rem 0;overflow-wrap:anywhere}
label{display:block;font-weight:600;margin:.9rem 0 .3rem}
input,textarea{width:100%;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);
border-radius:.45rem;padding:.55rem .7rem}
textarea{min-height:7rem;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.88rem}
button,.button{display:inline-block;font:inherit;font-weight:600;border:1px solid var(--brass);border-radius:.45rem;
padding:.55rem 1.1rem;margin:.6rem .5rem 0 0;background:var(--brass);color:var(--card);text-decoration:none;cursor:pointer}
button:hover,.button:hover{background:var(--deep);color:var(--card)}
button.second{background:none;color:var(--brass)}button.second:hover{color:var(--deep);border-color:var(--deep)}
header form{margin:0}header button{margin:0;padding:.25rem .8rem;font-size:.88rem}
:focus-visible{outline:3px solid var(--brass);outline-offset:2px}
@media(max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}main{padding-top:1rem}
.rows .top .state{margin-left:0}button,.button{width:100%;text-align:center;margin-right:0}
header button{width:auto}}
)";

}  // namespace

http::Response style_sheet() {
    http::Response response;
    response.content_type = "text/css; charset=utf-8";
    response.body = style;
    response.headers = {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-cache"}};
    return response;
}

}  // namespace console
