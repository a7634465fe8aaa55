"use strict";
// One page over the API, and nothing but the API: /api/v1/live, prices, points, requests, journal.

const api = (path, options) => fetch("/api/v1/" + path, options);
const find = (id) => document.getElementById(id);
const MODES = {
  self_use: "Self-use", charge: "Charging", charge_solar: "Solar to the battery first",
  hold: "Holding", discharge: "Discharging", export_solar: "Exporting solar", idle: "Idle",
};
let zone = "UTC";
let slotSeen = null;
let writesSeen = -1;
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
  find("clock").textContent = new Date(site.at).toLocaleString([], { timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const command = decision.command;
  let mode = command ? MODES[command.mode] : "Left to itself";
  if (command && command.power_w !== null) mode += " at " + watts(command.power_w);
  if (command && command.until) mode += " until " + clock(command.until);
  find("mode").textContent = mode;
  find("reason").textContent = "because " + decision.reason;
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
  const slot = site.import_per_kwh + "@" + Math.floor(Date.parse(site.at) / 1800000);
  if (slot !== slotSeen) { slotSeen = slot; showPrices(site.at); }
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
  const hours = make("div", undefined, "hours");
  const step = matchMedia("(max-width: 45rem)").matches ? 6 : 3;
  for (let hour = Math.ceil(from / 3600e3) * 3600e3; hour < to; hour += 3600e3) {
    if (parseInt(clock(hour), 10) % step) continue;
    const label = make("span", clock(hour));
    label.style.left = x(hour) / 10 + "%";
    if (x(hour) > 25 && x(hour) < 975) hours.append(label);
  }
  find("chart").replaceChildren(svg, hours);
  const age = curve.age_s === null ? "" : `, fetched ${Math.round(curve.age_s / 60)} min ago`;
  find("price-note").textContent = `${pence(lowest, curve.currency)} to ${pence(high, curve.currency)} per kWh; ${curve.source}${age}; known until ${clock(curve.ends)}.`;
}

const PAST = [["pv", "Solar", "pv_w"], ["load", "House", "load_w"], ["grid", "Grid, import above zero", "grid_w"],
  ["battery", "Battery, discharge above zero", "battery_w"], ["soc", "State of charge", "soc_pct"]];

async function showPast() {
  const to = Date.now(), from = to - 24 * 3600e3;
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
  const hours = make("div", undefined, "hours");
  const step = matchMedia("(max-width: 45rem)").matches ? 6 : 3;
  for (let hour = Math.ceil(from / 3600e3) * 3600e3; hour < to; hour += 3600e3) {
    if (parseInt(clock(hour), 10) % step || x(hour) < 25 || x(hour) > 975) continue;
    const label = make("span", clock(hour));
    label.style.left = x(hour) / 10 + "%";
    hours.append(label);
  }
  find("history").replaceChildren(svg, hours);
  find("legend").replaceChildren(...legend, make("span", `${watts(low)} to ${watts(high)}; 0 to 100 %`));
  find("past").hidden = false;
  showCosts();
}

async function showCosts() {
  const day = (offset) => new Date(Date.now() - offset * 86400e3).toLocaleDateString("sv", { timeZone: zone });
  const answer = await api(`history/costs?first=${day(1)}&last=${day(0)}`);
  if (!answer.ok) return;
  const money = (value) => (value < 0 ? "−" : "") + "£" + Math.abs(value).toFixed(2);
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
setTimeout(showPast, 1500);
setInterval(showPast, 300000);
