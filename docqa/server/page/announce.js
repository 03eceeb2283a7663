// What screen readers say of changes that cannot be seen by them.

import { byId } from "./dom.js";

/** Say a sentence, after whatever is being said. */
export function announce(sentence) {
  byId("announcements").textContent = sentence;
}
