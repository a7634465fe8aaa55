"use strict";
// What sun and house are expected to do, over /api/v1/forecasts. Helpers are those of page.js.

const EXPECTED = [["pv", "Solar", "solar"], ["load", "House", "load"]];
const AHEAD = 24 * 3600e3;
let expectedFor = -1;

// Once a quarter of an hour: no forecast says more.
async function showExpected(now) {
  const at = Date.parse(now), quarter = Math.floor(at / 900e3);
  if (quarter === expectedFor) return;
  expectedFor = quarter;
  const answer = await api("forecasts");
  if (!answer.ok) { expectedFor = -1; return; }
  const told = await answer.json(), to = at + AHEAD;
  const rows = EXPECTED.map(([look, label, key]) => ({ look, label, said: told[key], slots: cut(told[key], at, to) })).filter((row) => row.said);
  find("expected").hidden = !rows.length;
  if (!rows.length) return;
  const high = Math.max(...rows.flatMap((row) => row.slots.map((slot) => slot.high_w)), 500);
  drawExpected(rows, at, to, high);
  find("expected-key").replaceChildren(...rows.map((row) => lineKey("past " + row.look, row.label)),
    make("span", "0 to " + watts(high)));
  find("expected-note").textContent = rows.map((row) => words(row, now)).join(" ") + carbonWords(told.carbon, at, to) +
    " Eight times in ten it is within the band.";
  find("expected-trouble").textContent = [...rows.map((row) => row.said), told.carbon]
    .map((said) => said && said.trouble).filter(Boolean).join("; ");
}

const cut = (said, from, to) => (said ? said.slots : []).map((slot) => ({ ...slot, from: Date.parse(slot.start), to: Date.parse(slot.end) }))
  .filter((slot) => slot.to > from && slot.from < to);

function words(row, now) {
  const sum = (name) => row.slots.reduce((total, slot) => total + slot[name] * (slot.to - slot.from) / 3600e6, 0).toFixed(1);
  const age = row.said.fetched_at === null ? "" : `, fetched ${Math.max(0, Math.round((Date.parse(now) - Date.parse(row.said.fetched_at)) / 60e3))} min ago`;
  const total = row.slots.length ? ` ${sum("middle_w")} kWh in the next 24 hours,` : "";
  return `${row.label}:${total} by ${row.said.source}${age}.`;
}

function carbonWords(carbon, from, to) {
  const grams = (carbon ? carbon.slots : []).filter((slot) => Date.parse(slot.end) > from && Date.parse(slot.start) < to).map((slot) => slot.kg_per_kwh * 1000);
  return grams.length ? ` Grid: ${Math.round(Math.min(...grams))} to ${Math.round(Math.max(...grams))} g of CO₂ a kWh.` : "";
}

function drawExpected(rows, from, to, high) {
  const x = (moment) => (1000 * (moment - from) / (to - from)).toFixed(1), y = (power) => (98 - 96 * power / high).toFixed(2);
  const middle = (slot) => (slot.from + slot.to) / 2;
  const svg = drawing("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img",
    "aria-label": `Expected powers from ${clock(from)} to ${day(to)}` });
  for (const { look, slots } of rows.filter((row) => row.slots.length)) {
    const line = (list, name) => list.map((slot) => `${x(middle(slot))} ${y(slot[name])}`).join("L");
    svg.append(
      drawing("path", { class: "spread " + look, d: `M${line(slots, "high_w")}L${line([...slots].reverse(), "low_w")}Z` }),
      drawing("path", { class: "past " + look, d: "M" + line(slots, "middle_w") }));
  }
  svg.append(drawing("line", { class: "axis", x1: 0, x2: 1000, y1: 98, y2: 98 }));
  for (let hour = Math.floor(from / 3600e3) * 3600e3; hour < to; hour += 3600e3) {
    const told = rows.map((row) => hourWords(row, hour)).filter(Boolean);
    const spot = drawing("rect", { class: "spot", x: Math.max(x(hour), 0), width: 1000 * 3600e3 / (to - from), y: 0, height: 100 });
    const title = drawing("title", {});
    title.textContent = `${day(hour)}: ${told.join("; ")}`;
    spot.append(title);
    svg.append(spot);
  }
  find("expected-chart").replaceChildren(svg, hourMarks(from, to));
}

function hourWords(row, hour) {
  const slots = row.slots.filter((slot) => slot.from >= hour && slot.from < hour + 3600e3);
  if (!slots.length) return "";
  const mean = (name) => watts(slots.reduce((sum, slot) => sum + slot[name], 0) / slots.length);
  return `${row.label} ${mean("middle_w")} (${mean("low_w")} to ${mean("high_w")})`;
}
