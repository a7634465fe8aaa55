"use strict";
// One page over the API, and nothing but the API: /api/v1/live, prices, points, plan, forecasts, requests, journal.

const api = (path, options) => fetch("/api/v1/" + path, options);
const find = (id) => document.getElementById(id);
const MODES = {
  self_use: "Self-use", charge: "Charging", charge_solar: "Solar to the battery first",
  hold: "Holding", discharge: "Discharging", export_solar: "Exporting solar", idle: "Idle",
};
let zone = "UTC";
let slotSeen = null;
let writesSeen = -1;
let siteNow = Date.now();
const past = { shown: -Infinity, asked: -Infinity };
const points = {};

function make(tag, text, name) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
}

const watts = (value) => value === null ? "–" :
  Math.abs(value) >= 1000 ? (value / 1000).toFixed(2) + " kW" : Math.round(value) + " W";
const clock = (text) => new Date(text).toLocaleTimeString([], { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const pence = (value, currency = "GBP") => value === null ? "–" :
  currency === "GBP" ? (value * 100).toFixed(2).replace(/\.?0+$/, "") + "p" : value.toFixed(4) + " " + currency;
const shown = (value, unit) => value === null ? "–" : value === true ? "on" : value === false ? "off" :
  unit ? value + " " + unit : String(value);

function power(label, value, hint) {
  const box = make("div");
  box.append(make("dt", label), make("dd", value));
  if (hint) box.lastChild.append(make("small", hint));
  return box;
}

function showTick(tick) {
  const { site, decision } = tick;
  zone = site.timezone;
  siteNow = Date.parse(site.at);
  find("clock").textContent = new Date(site.at).toLocaleString([], { timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const command = decision.command;
  let mode = command ? MODES[command.mode] : "Left to itself";
  if (command && command.power_w !== null) mode += " at " + watts(command.power_w);
  if (command && command.until) mode += " until " + clock(command.until);
  find("mode").textContent = mode;
  find("reason").textContent = "because " + decision.reason;
  find("ahead").textContent = decision.ahead.map((ahead) => `${ahead.device} charges from ${clock(ahead.start)} to ${clock(ahead.until)} by itself, should Ohmstead fall silent`).join("; ");
  find("powers").replaceChildren(
    power("Solar", watts(site.pv_w)),
    power("Grid", watts(site.grid_w === null ? null : Math.abs(site.grid_w)), site.grid_w === null ? "" : site.grid_w >= 0 ? "import" : "export"),
    power("Battery", watts(site.battery_w === null ? null : Math.abs(site.battery_w)), site.battery_w === null ? "" : site.battery_w > 0 ? "discharging" : site.battery_w < 0 ? "charging" : "idle"),
    power("State of charge", site.soc_pct === null ? "–" : Math.round(site.soc_pct) + " %"),
    power("House", watts(site.load_w), "import " + pence(site.import_per_kwh)),
  );
  find("trail").replaceChildren(...decision.trail.map((advice) => {
    const item = make("li", undefined, advice.overruled ? "overruled" : advice.spoke ? "spoke" : "quiet");
    item.append(make("b", advice.strategy), " " + advice.reason);
    return item;
  }));
  showDevices(tick.devices);
  const failures = tick.results.filter((result) => result.outcome !== "applied");
  if (failures.length) find("reason").append(make("span", " " + failures.map((f) => `${f.device}: ${f.why}`).join("; "), "trouble"));
  find("plan-trouble").textContent = site.plan_trouble === null ? "" : "No new plan: " + site.plan_trouble + ".";
  showPlan(decision, site.at);
  showExpected(site.at);
  const slot = site.import_per_kwh + "@" + Math.floor(Date.parse(site.at) / 1800000);
  if (slot !== slotSeen) { slotSeen = slot; showPrices(site.at); }
  // Every five minutes of the house; a demonstration's pass quickly.
  if (Math.abs(siteNow - past.shown) >= 300e3 && Date.now() - past.asked >= 10e3) showPast();
  const writes = tick.results.reduce((sum, result) => sum + Object.keys(result.wrote).length, 0);
  if (writes || writesSeen < 0) { writesSeen = writes; showJournal(); showRequests(); }
}

async function showPrices(now) {
  const answer = await api("prices");
  if (!answer.ok) return;
  const curve = (await answer.json()).import;
  if (!curve || !curve.slots.length) { find("price-note").textContent = "No import prices are known."; return; }
  const at = Date.parse(now);
  const from = at - 3 * 3600e3;
  const to = Math.min(from + 27 * 3600e3, Date.parse(curve.ends));
  const slots = curve.slots.map((s) => ({ start: Math.max(Date.parse(s.start), from), end: Math.min(Date.parse(s.end), to), price: s.per_kwh }))
    .filter((s) => s.start < s.end);
  if (!slots.length) return;
  const high = Math.max(...slots.map((s) => s.price), 0.01);
  const low = Math.min(...slots.map((s) => s.price), 0);
  const lowest = Math.min(...slots.map((s) => s.price));
  const y = (price) => 100 * (high - price) / (high - low);
  const x = (moment) => 1000 * (moment - from) / (to - from);
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 1000 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Import prices from " + clock(from) + " to " + clock(to));
  for (const slot of slots) {
    const bar = document.createElementNS(space, "rect");
    const isNow = slot.start <= at && at < slot.end;
    bar.setAttribute("class", "bar" + (isNow ? " now" : slot.end <= at ? " past" : "") + (slot.price < 0 ? " minus" : ""));
    bar.setAttribute("x", x(slot.start) + 1);
    bar.setAttribute("width", Math.max(x(slot.end) - x(slot.start) - 2, 1));
    bar.setAttribute("y", Math.min(y(slot.price), y(0)));
    bar.setAttribute("height", Math.max(Math.abs(y(slot.price) - y(0)), 0.7));
    const title = document.createElementNS(space, "title");
    title.textContent = clock(slot.start) + " " + pence(slot.price, curve.currency);
    bar.append(title);
    svg.append(bar);
  }
  const axis = document.createElementNS(space, "line");
  axis.setAttribute("class", "axis");
  for (const [name, value] of [["x1", 0], ["x2", 1000], ["y1", y(0)], ["y2", y(0)]]) axis.setAttribute(name, value);
  svg.append(axis);
  find("chart").replaceChildren(svg, hourMarks(from, to));
  const age = curve.age_s === null ? "" : `, fetched ${Math.round(curve.age_s / 60)} min ago`;
  find("price-note").textContent = `${pence(lowest, curve.currency)} to ${pence(high, curve.currency)} per kWh; ${curve.source}${age}; known until ${clock(curve.ends)}.`;
}

const WILL = {
  self_use: "self-use", charge: "charge", charge_solar: "solar to the battery first",
  hold: "hold", discharge: "discharge", export_solar: "export solar", idle: "idle",
};
let planSeen = "";

// Asked for only while there is one: a browser counts every 404 as an error.
async function showPlan(decision, now) {
  const planned = decision.trail.some((advice) => advice.strategy === "follow_plan" && !advice.blind);
  const tick = planned + "@" + Math.floor(Date.parse(now) / 60e3);
  if (tick === planSeen || planned && find("plan-chart").matches(":hover, :focus-within")) return;  // somebody reads it
  planSeen = tick;
  const answer = planned ? await api("plan") : null;
  find("plan").hidden = !answer || !answer.ok;
  if (find("plan").hidden) return;
  const plan = await answer.json(), at = Date.parse(now), to = at + 24 * 3600e3;
  const slots = plan.slots.filter((slot) => Date.parse(slot.end) > at && Date.parse(slot.start) < to);
  if (!slots.length) { find("plan").hidden = true; return; }
  const spans = [];
  for (const slot of slots) {
    const last = spans.at(-1);
    if (last && last.mode === slot.mode) last.slots.push(slot);
    else spans.push({ mode: slot.mode, slots: [slot], before: last ? last.slots.at(-1).soc_pct : slot === plan.slots[0] ? plan.start_soc_pct : null });
  }
  drawPlan(slots, spans, plan, at);
  find("plan-key").replaceChildren(...[...new Set(spans.map((span) => span.mode))].map((mode) => {
    const key = make("span");
    key.append(make("i", undefined, "band " + mode), WILL[mode]);
    return key;
  }), lineKey("price", "Import price"), lineKey("stored", "State of charge, 0 to 100 %"));
  find("plan-note").textContent = `Made ${clock(plan.made_at)} of: ${plan.made_of}. Until ${day(plan.slots.at(-1).end)} it ` +
    `${plan.cost < -0.005 ? "earns" : "costs"} ${money(Math.abs(plan.cost), plan.currency)} and saves ${money(plan.saved, plan.currency)} over a house that does not plan` +
    (plan.gap >= 0.005 ? `; at most ${money(plan.gap, plan.currency)} dearer than the best.` : "; none costs less.") +
    (plan.carbon_kg === null ? "" : ` Its power ${plan.carbon_kg < -0.05 ? "spares" : "weighs"} ${Math.abs(plan.carbon_kg).toFixed(1)} kg of CO₂.`);
  find("plan-steps").replaceChildren(...spans.map((span) => {
    const item = make("li");
    item.append(make("i", undefined, "band " + span.mode), make("b", stepWords(span, plan) + " "), make("span", why(span), "quiet"));
    return item;
  }), ...loadTimes(slots).map((text) => make("li", text)));
}

// When each load that may run earlier or later is to be on; the owner switches it, Ohmstead does not.
function loadTimes(slots) {
  return Object.keys(slots[0].loads_w).map((name) => {
    const times = [];
    for (const { start, end, loads_w } of slots.filter((slot) => slot.loads_w[name] >= 1)) {
      if (times.length && times.at(-1)[1] === start) times.at(-1)[1] = end;
      else times.push([start, end]);
    }
    return `${name}: ${times.map(([from, to]) => `${day(from)}–${clock(to)}`).join(", ") || "not on"}`;
  });
}

const day = (text) => new Date(text).toLocaleTimeString([], { timeZone: zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const SIGNS = { GBP: "£", EUR: "€", USD: "$", AUD: "$" };
const money = (value, currency = "GBP") => (Math.round(value * 100) < 0 ? "−" : "") +
  (SIGNS[currency] || "") + Math.abs(value).toFixed(2) + (SIGNS[currency] ? "" : " " + currency);
const length = (slot) => (Date.parse(slot.end) - Date.parse(slot.start)) / 3600e3;
// The reason of the slot that moves most: it is the one the others are like.
const why = (span) => span.slots.reduce((a, b) => Math.abs(b.battery_w) * length(b) > Math.abs(a.battery_w) * length(a) ? b : a).reason;

function stepWords(span, plan) {
  const hours = span.slots.reduce((sum, slot) => sum + length(slot), 0);
  const mean = span.slots.reduce((sum, slot) => sum + slot.battery_w * length(slot), 0) / hours;
  const prices = span.slots.map((slot) => slot.import_per_kwh), low = Math.min(...prices), high = Math.max(...prices);
  const stored = Math.round(span.slots.at(-1).soc_pct), before = span.before === null ? stored : Math.round(span.before);
  const [from, to] = [span.slots[0].start, span.slots.at(-1).end];
  const parts = [`${day(from)}–${day(from).slice(0, 3) === day(to).slice(0, 3) ? clock(to) : day(to)} ${WILL[span.mode]}`];
  if (Math.abs(mean) >= 1) parts.push(`${watts(Math.abs(mean))} ${mean > 0 ? "out" : "in"}`);
  parts.push(before === stored ? `${stored} %` : `${before} → ${stored} %`);
  parts.push(low === high ? pence(low, plan.currency) : `${pence(low, plan.currency)} to ${pence(high, plan.currency)}`);
  parts.push(money(span.slots.reduce((sum, slot) => sum + slot.cost, 0), plan.currency));
  return parts.join(", ") + ":";
}

function drawPlan(slots, spans, plan, at) {
  const from = Math.max(Date.parse(slots[0].start), at - 1800e3), to = Math.min(Date.parse(slots.at(-1).end), at + 24 * 3600e3);
  const x = (moment) => 1000 * (Math.min(Math.max(Date.parse(moment), from), to) - from) / (to - from);
  const prices = slots.map((slot) => slot.import_per_kwh), high = Math.max(...prices, 0.01), low = Math.min(...prices, 0);
  const y = (price) => 4 + 84 * (high - price) / (high - low);
  const svg = drawing("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "group",
    "aria-label": `What the battery will do from ${clock(from)} to ${day(to)}` });
  const bands = [], tell = (number) => {
    const span = spans[number];
    find("plan-why").replaceChildren(make("b", stepWords(span, plan)), " " + why(span));
    bands.forEach((pair, other) => pair.forEach((band) => band.classList.toggle("seen", other === number)));
  };
  spans.forEach((span, number) => {
    const place = { x: x(span.slots[0].start), width: Math.max(x(span.slots.at(-1).end) - x(span.slots[0].start), 1) };
    const back = drawing("rect", { class: "band " + span.mode, y: 0, height: 90, ...place });
    const foot = drawing("rect", { class: "band foot " + span.mode, y: 91, height: 9, tabindex: 0, role: "img",
      "aria-label": stepWords(span, plan) + " " + why(span), ...place });
    for (const band of [back, foot]) {
      const title = drawing("title", {});
      title.textContent = stepWords(span, plan) + " " + why(span);
      band.append(title);
      for (const kind of ["pointerenter", "focus", "click"]) band.addEventListener(kind, () => tell(number));
      svg.append(band);
    }
    bands.push([back]);
  });
  const far = (moment) => (1000 * (Date.parse(moment) - from) / (to - from)).toFixed(1);  // what lies outside is cut off
  const steps = slots.map((slot) => [slot.start, slot.end].map((moment) => `${far(moment)} ${y(slot.import_per_kwh).toFixed(2)}`).join("L"));
  const level = (soc_pct) => (4 + 84 * (100 - soc_pct) / 100).toFixed(2);
  const stored = slots.map((slot) => `${far(slot.end)} ${level(slot.soc_pct)}`);
  const earlier = plan.slots[plan.slots.indexOf(slots[0]) - 1], began = earlier ? earlier.soc_pct : plan.start_soc_pct;
  if (began !== null) stored.unshift(`${far(slots[0].start)} ${level(began)}`);
  svg.append(drawing("path", { class: "price", d: "M" + steps.join("L") }), drawing("path", { class: "stored", d: "M" + stored.join("L") }));
  const present = 1000 * (at - from) / (to - from);
  if (at > from) svg.append(drawing("line", { class: "nowline", x1: present, x2: present, y1: 0, y2: 100 }));
  find("plan-chart").replaceChildren(svg, hourMarks(from, to));
  tell(0);
}

function drawing(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function lineKey(look, words) {
  const key = make("span"), sample = drawing("svg", { viewBox: "0 0 30 10" });
  sample.append(drawing("path", { class: look, d: "M0 5L30 5" }));
  key.append(sample, words);
  return key;
}

function hourMarks(from, to) {
  const hours = make("div", undefined, "hours");
  const step = matchMedia("(max-width: 45rem)").matches ? 6 : 3;
  for (let hour = Math.ceil(from / 3600e3) * 3600e3; hour < to; hour += 3600e3) {
    const place = 100 * (hour - from) / (to - from);
    if (parseInt(clock(hour), 10) % step || place < 2.5 || place > 97.5) continue;
    const label = make("span", clock(hour));
    label.style.left = place + "%";
    hours.append(label);
  }
  return hours;
}

const PAST = [["pv", "Solar", "pv_w"], ["load", "House", "load_w"], ["grid", "Grid, import above zero", "grid_w"],
  ["battery", "Battery, discharge above zero", "battery_w"], ["soc", "State of charge", "soc_pct"]];

async function showPast() {
  const to = siteNow, from = to - 24 * 3600e3;
  past.shown = to;
  past.asked = Date.now();
  const names = PAST.map(([, , point]) => "point=site." + point).join("&");
  const known = await api("history/points");
  if (!known.ok || !((await known.json()).site || []).includes("load_w")) return;
  const answer = await api(`history?${names}&start=${new Date(from).toISOString()}&end=${new Date(to).toISOString()}&most=300`);
  if (!answer.ok) return;
  const charts = Object.fromEntries((await answer.json()).map((chart) => [chart.point, chart]));
  const powers = PAST.filter(([name]) => name !== "soc").flatMap(([, , point]) => (charts[point] || { mean: [] }).mean).filter((v) => v !== null);
  if (powers.length < 2) return;
  const high = Math.max(...powers, 500), low = Math.min(...powers, 0);
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  for (const [name, value] of [["viewBox", "0 0 1000 100"], ["preserveAspectRatio", "none"], ["role", "img"],
    ["aria-label", `Powers of the last 24 hours, from ${watts(low)} to ${watts(high)}, and the state of charge`]]) svg.setAttribute(name, value);
  const axis = document.createElementNS(space, "line");
  const zero = 100 * high / (high - low);
  for (const [name, value] of [["class", "axis"], ["x1", 0], ["x2", 1000], ["y1", zero], ["y2", zero]]) axis.setAttribute(name, value);
  svg.append(axis);
  const x = (moment) => 1000 * (moment - from) / (to - from);
  const legend = [];
  for (const [name, label, point] of PAST) {
    const chart = charts[point];
    if (!chart || !chart.mean.some((value) => value !== null)) continue;
    const y = name === "soc" ? (value) => 100 - value : (value) => 100 * (high - value) / (high - low);
    let path = "", pen = "M";
    chart.times.forEach((time, n) => {
      const value = chart.mean[n];
      if (value === null) { pen = "M"; return; }
      path += `${pen}${x(Date.parse(time)).toFixed(1)} ${y(value).toFixed(2)}`;
      pen = "L";
    });
    const line = document.createElementNS(space, "path");
    line.setAttribute("class", "past " + name);
    line.setAttribute("d", path);
    svg.append(line);
    const key = make("span"), sample = document.createElementNS(space, "svg"), stroke = document.createElementNS(space, "path");
    sample.setAttribute("viewBox", "0 0 30 10");
    stroke.setAttribute("class", "past " + name);
    stroke.setAttribute("d", "M0 5L30 5");
    sample.append(stroke);
    key.append(sample, label);
    legend.push(key);
  }
  find("history").replaceChildren(svg, hourMarks(from, to));
  find("legend").replaceChildren(...legend, make("span", `${watts(low)} to ${watts(high)}; 0 to 100 %`));
  find("past").hidden = false;
  showCosts();
}

async function showCosts() {
  const day = (offset) => new Date(siteNow - offset * 86400e3).toLocaleDateString("sv", { timeZone: zone });
  const answer = await api(`history/costs?first=${day(1)}&last=${day(0)}`);
  if (!answer.ok) return;
  find("costs").textContent = (await answer.json()).filter((one) => one.covered_h >= 0.5).map((one) => {
    const name = one.day === day(0) ? "Today so far" : "Yesterday";
    const saved = one.saved_by_control === null ? "" : `, ${money(one.saved_by_battery)} less than without a battery, ${money(one.saved_by_control)} of it by control`;
    return `${name}: ${money(one.actual)}${saved}.`;
  }).join(" ");
}

async function showDevices(devices) {
  const rows = [];
  for (const device of devices) {
    if (!points[device.name] || points[device.name].size < Object.keys(device.values).length) {
      const answer = await api(`devices/${device.name}/points`);
      if (answer.ok) points[device.name] = new Map((await answer.json()).map((p) => [p.key, p]));
    }
    const title = make("h3", device.name + " ");
    title.append(make("span", device.trouble || (device.last_seen ? "seen " + clock(device.last_seen) : "not seen yet"), device.trouble ? "trouble" : "quiet"));
    const known = points[device.name] || new Map();
    const groups = { main: "All that is measured", configuration: "Settings", diagnostic: "Diagnostics" };
    rows.push(title);
    for (const [category, name] of Object.entries(groups)) {
      const listed = Object.entries(device.values).filter(([key]) => (known.get(key) || {}).category === category);
      if (!listed.length) continue;
      const id = device.name + category;
      const before = document.getElementById(id);
      const details = make("details");
      details.id = id;
      details.open = before ? before.open : false;
      details.append(make("summary", `${name} (${listed.length})`));
      const body = make("div", undefined, "points");
      if (details.open) {
        const table = make("table");
        for (const [key, value] of listed) {
          const point = known.get(key);
          const row = table.insertRow();
          row.insertCell().textContent = point.label;
          row.insertCell().textContent = shown(value, point.unit);
          row.title = key + (device.doubts[key] ? ": " + device.doubts[key] : "");
        }
        body.append(table);
      }
      details.addEventListener("toggle", () => { if (details.open && !body.firstChild) showDevices(devices); }, { once: true });
      details.append(body);
      rows.push(details);
    }
  }
  find("devices").replaceChildren(...rows);
}

async function showJournal() {
  const answer = await api("journal?limit=12");
  if (!answer.ok) return;
  const entries = await answer.json();
  find("journal").replaceChildren(...(entries.length ? entries.map((entry) => {
    const item = make("li");
    item.append(make("b", `${clock(entry.at)} ${entry.point} ${shown(entry.old)} → ${shown(entry.new)} `));
    item.append(make("span", `${entry.why} (${entry.asked_by}, ${entry.state})`, entry.state === "failed" ? "trouble" : "quiet"));
    return item;
  }) : [make("li", "Nothing was written yet.", "quiet")]));
}

async function showRequests() {
  const answer = await api("requests");
  if (!answer.ok) return;
  find("requests").replaceChildren(...(await answer.json()).map((request) => {
    const item = make("li", `${MODES[request.command.mode]} until ${clock(request.until)} `);
    const cancel = make("button", "cancel");
    cancel.type = "button";
    cancel.addEventListener("click", async () => { await api("requests/" + request.id, { method: "DELETE" }); showRequests(); });
    item.append(cancel);
    return item;
  }));
}

find("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const wanted = { mode: form.get("mode"), minutes: Number(form.get("minutes")) };
  for (const name of ["power_w", "soc_pct"]) if (form.get(name)) wanted[name] = Number(form.get(name));
  const answer = await api("requests", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wanted) });
  const body = await answer.json();
  const line = find("answer");
  line.className = answer.ok ? "quiet" : "trouble";
  line.textContent = answer.ok ? "Asked; it holds until " + clock(body.until) + "." : body.detail;
  showRequests();
  setTimeout(showJournal, 2000);
});

function listen() {
  const events = new EventSource("/api/v1/live");
  events.addEventListener("open", () => { find("link").textContent = "live"; find("link").className = "quiet"; });
  events.addEventListener("tick", (event) => showTick(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    find("link").textContent = "no connection; trying again";
    find("link").className = "trouble";
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
}

listen();
setInterval(showRequests, 30000);
