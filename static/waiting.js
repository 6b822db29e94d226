// Asks every two seconds whether the login was confirmed, and loads the page again when there is something new to say.
// Without JavaScript the page loads itself again, and a button does so at once.
(() => {
  "use strict";
  const place = document.getElementById("waiting");
  const { poll, page, state } = place.dataset;
  const later = () => setTimeout(ask, 2000);
  let failures = 0;
  async function ask() {
    try {
      const answer = await fetch(poll, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.ok && (await answer.json()).state === state) {
        failures = 0;
        later();
        return;
      }
      location.replace(page);
    } catch {
      // The network is away for a moment, as on a telephone that changes to the other app.
      failures += 1;
      if (failures > 30) {
        location.replace(page);
      } else {
        later();
      }
    }
  }
  later();
})();
