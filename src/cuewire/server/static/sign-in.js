"use strict";
const said = document.getElementById("said");
const form = document.getElementById("form");
const inside = document.getElementById("inside");

function ask(method, body) {
  const headers = { "Content-Type": "application/json" };
  return fetch("/api/v1/session", { method, headers, body: body && JSON.stringify(body) });
}

function show(isIn, text) {
  form.hidden = isIn;
  inside.hidden = !isIn;
  said.textContent = text[0].toUpperCase() + text.slice(1);
  (isIn ? inside.querySelector("a") : form.elements.key).focus();
}

async function signIn(body) {
  const reply = await ask("POST", body);
  const told = await reply.json();
  if (reply.ok) show(true, `Signed in with the key “${told.key_name}”.`);
  else show(false, `${told.detail}${told.hint ? `; ${told.hint}` : ""}.`);
}

async function begin() {
  const link = location.hash.slice(1);
  history.replaceState(null, "", location.pathname); // it works once, and is nobody else's business
  if (link) return signIn({ link });
  const reply = await ask("GET");
  if (reply.ok) show(true, `Signed in with the key “${(await reply.json()).key_name}”.`);
  else show(false, "Sign in with an API key, or open a link that the server's operator made.");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn({ key: form.elements.key.value.trim() });
  form.reset();
});
document.getElementById("out").addEventListener("click", async () => {
  await ask("DELETE");
  show(false, "Signed out.");
});
begin();
