// Times as Slack shows them: in the zone of whoever looks.

const format = (options) => new Intl.DateTimeFormat("en-US", options);
const TIME = format({ hour: "numeric", minute: "2-digit" });
const TIME_SECONDS = format({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const LONG = format({ weekday: "long", month: "long", day: "numeric", year: "numeric" });
const FULL = format({ dateStyle: "full", timeStyle: "long" });
const PLAIN = format({ month: "long", day: "numeric", year: "numeric" });
const SHORT = format({ month: "short", day: "numeric", year: "numeric" });
const DAY = format({ weekday: "long", month: "long", day: "numeric" });

/** Slack's "1731412800.000100" as a Date. */
export const fromTs = (ts) => new Date(Math.round(Number(ts) * 1000));
export const time = (date) => TIME.format(date);
export const full = (date) => FULL.format(date);

const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
const daysAgo = (date) => Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);
export const sameDay = (left, right) => startOfDay(left) === startOfDay(right);

function pretty(date, otherwise) {
  return { "-1": "tomorrow", 0: "today", 1: "yesterday" }[daysAgo(date)] ?? otherwise;
}

/** "Today", "Yesterday", "Monday, November 17": the label of a day in the channel. */
export function dayLabel(date) {
  const label = pretty(date, daysAgo(date) < 300 ? DAY.format(date) : LONG.format(date));
  return label[0].toUpperCase() + label.slice(1);
}

function ago(date) {
  const seconds = Math.round((date.getTime() - Date.now()) / 1000);
  const relative = new Intl.RelativeTimeFormat("en-US", { numeric: "auto" });
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(seconds, "second");
}

const TOKENS = {
  date_num: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  date_slash: (date) => `${two(date.getMonth() + 1)}/${two(date.getDate())}/${date.getFullYear()}`,
  date: (date) => PLAIN.format(date),
  date_short: (date) => SHORT.format(date),
  date_long: (date) => LONG.format(date),
  date_pretty: (date) => pretty(date, PLAIN.format(date)),
  date_short_pretty: (date) => pretty(date, SHORT.format(date)),
  date_long_pretty: (date) => pretty(date, LONG.format(date)),
  time: (date) => TIME.format(date),
  time_secs: (date) => TIME_SECONDS.format(date),
  ago,
};
const two = (number) => String(number).padStart(2, "0");

/** The template of `<!date^…>` filled in; undefined if it names a token that Slack does not know. */
export function fillDate(seconds, template) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  let known = true;
  const text = template.replace(/\{(\w+)\}/g, (whole, token) => {
    if (!Object.hasOwn(TOKENS, token)) known = false;
    return known ? TOKENS[token](date) : whole;
  });
  return known ? text[0]?.toUpperCase() + text.slice(1) : undefined;
}
