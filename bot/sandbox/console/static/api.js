// The console's HTTP interface, from the page's side. Every refusal is {error, hint} and becomes a `Refusal`.

export class Refusal extends Error {
  constructor(error, hint) {
    super(error);
    this.hint = hint;
  }
}

async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(`/console/${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal("The sandbox does not answer", "Is `reliability sandbox` still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(answer.error ?? `The sandbox answered ${response.status}`, answer.hint);
  return answer;
}

export const getState = () => ask("GET", "state");
export const click = (body) => ask("POST", "click", body);
export const slash = (body) => ask("POST", "slash", body);
export const say = (body) => ask("POST", "say", body);
export const submitView = (body) => ask("POST", "view/submit", body);
export const closeView = (body) => ask("POST", "view/close", body);
export const playScenario = (name, user) => ask("POST", `scenarios/${encodeURIComponent(name)}/play`, { user });
export const restartBot = (user) => ask("POST", "bot/restart", { user });
