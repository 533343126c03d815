/**
 * What forms have sent and no answer came to. Sent again as it stands, it is the same under the same key; once a form says
 * otherwise, it is something else.
 * @module
 */

import { ApiError } from "./api.js";

/** @typedef {Record<string, unknown> & {key: string}} Sent */

export class Unanswered {
  /** By form, and by what stood in it. @type {Map<string, Map<string, Sent>>} */
  #sent = new Map();

  /** @param {() => string} newKey */
  constructor(newKey) {
    this.newKey = newKey;
  }

  /**
   * What is to be sent: what stood in the form makes it what it is, for what follows from that may be of now.
   * @param {string} where which form @param {string} given what stands in it @param {Record<string, unknown>} said @returns {Sent}
   */
  of(where, given, said) {
    const forms = this.#sent.get(where) ?? new Map();
    const sent = forms.get(given) ?? { ...said, key: this.newKey() };
    this.#sent.set(where, forms.set(given, sent));
    return sent;
  }

  /**
   * Send it. An answer, be it a refusal, is the end of it; without one it is sent again as it was.
   * @template T
   * @param {string} where @param {string} given @param {Record<string, unknown>} said @param {(sent: Sent) => Promise<T>} send
   * @returns {Promise<T>}
   */
  async send(where, given, said, send) {
    try {
      const answer = await send(this.of(where, given, said));
      this.#sent.delete(where);
      return answer;
    } catch (error) {
      if (error instanceof ApiError && isAnswer(error)) this.#sent.delete(where);
      throw error;
    }
  }
}

/** Whether the gateway said no. Where it broke, or did not answer, it may have taken it all the same. @param {ApiError} error */
export const isAnswer = ({ status }) => status >= 400 && status < 500;
