/**
 * Passkeys: the browser's own objects from and to the JSON that the API speaks (WebAuthn section 5.1).
 * @module
 */

/** @param {string} text base64url @returns {ArrayBuffer} */
function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0)).buffer;
}

/** @param {ArrayBuffer | null} buffer @returns {string | undefined} base64url */
function text(buffer) {
  if (buffer === null) return undefined;
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Whether this browser takes passkeys at this address. */
export const usable = () =>
  window.isSecureContext && "PublicKeyCredential" in window && !/^[\d.]+$|^\[/.test(location.hostname);

/** @param {{id: string, type: "public-key"}[] | undefined} known */
const known = (known) => (known ?? []).map((each) => ({ type: each.type, id: bytes(each.id) }));

/**
 * Let the browser make one.
 * @param {any} options @returns {Promise<object>}
 */
export async function create(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  };
  const made = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({ publicKey }).catch(given));
  const response = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  return said(made, { clientDataJSON: response.clientDataJSON, attestationObject: response.attestationObject });
}

/**
 * Let the browser use one.
 * @param {any} options @returns {Promise<object>}
 */
export async function use(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: known(options.allowCredentials),
  };
  const made = /** @type {PublicKeyCredential} */ (await navigator.credentials.get({ publicKey }).catch(given));
  const { clientDataJSON, authenticatorData, signature, userHandle } = /** @type {AuthenticatorAssertionResponse} */ (made.response);
  return said(made, { clientDataJSON, authenticatorData, signature, userHandle });
}

/** What the browser says when nothing came of it, in words. @param {unknown} error @returns {never} */
function given(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "InvalidStateError") throw new PasskeyError("This device has a passkey for you already.", "Use another device, or sign in with it.");
  throw new PasskeyError("No passkey was used.", "Try again when you are ready, or use another way.");
}

export class PasskeyError extends Error {
  /** @param {string} title @param {string} cure */
  constructor(title, cure) {
    super(title);
    this.problem = { type: "passkey", title, cure };
  }
}

/** @param {PublicKeyCredential} made @param {Record<string, ArrayBuffer | null>} response @returns {object} */
function said(made, response) {
  const parts = Object.entries(response).map(([name, value]) => [name, text(value)]);
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    clientExtensionResults: {},
    response: Object.fromEntries(parts.filter(([, value]) => value !== undefined)),
  };
}
