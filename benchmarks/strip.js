// Reads the machine-readable strip in a decoded picture (drivers/simulator/picture/strip.py has its layout):
// window.readStrip(video) -> {number, wallMs} or null, also where there is no video just now. Used by benchmarks and browser tests, never by the product.
(() => {
  const CELLS = 72;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });

  const crc8 = (bytes) => {
    let crc = 0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
    }
    return crc;
  };

  window.readStrip = (video) => {
    const width = video?.videoWidth;
    const height = video?.videoHeight;
    if (!width || !height) return null;
    const middle = Math.floor(Math.max(8, height / 24) / 2);
    canvas.width = width;
    canvas.height = 1;
    context.drawImage(video, 0, middle, width, 1, 0, 0, width, 1);
    const row = context.getImageData(0, 0, width, 1).data;
    const bits = [];
    for (let cell = 0; cell < CELLS; cell += 1) {
      const from = Math.floor(((cell + 1 / 3) * width) / CELLS);
      const to = Math.max(from + 1, Math.floor(((cell + 2 / 3) * width) / CELLS));
      let sum = 0;
      for (let x = from; x < to; x += 1) sum += row[4 * x + 1];
      bits.push(sum / (to - from) >= 128 ? 1 : 0);
    }
    if (bits.slice(0, 4).join("") !== "1010" || bits.slice(70).join("") !== "01") return null;
    const payload = bits.slice(4, 62);
    const padded = payload.concat([0, 0, 0, 0, 0, 0]);
    const bytes = [];
    for (let at = 0; at < 64; at += 8) bytes.push(parseInt(padded.slice(at, at + 8).join(""), 2));
    if (crc8(bytes) !== parseInt(bits.slice(62, 70).join(""), 2)) return null;
    return {
      wallMs: parseInt(payload.slice(0, 44).join(""), 2),
      number: parseInt(payload.slice(44).join(""), 2),
    };
  };
})();
