// A peer connection that shows a drawn street: for looking at the console without cameras (tests/e2e/screens.py).
(() => {
  const knobs = (window.__peer = { frozen: new Set(), silent: new Set(), all: [] });
  // The hosts of these cameras die: no view that is open now gets another frame.
  knobs.cut = (numbers) => knobs.all.forEach((peer) => (peer.cut ||= numbers.includes(peer.camera)));
  let made = 0;
  window.RTCPeerConnection = class {
    constructor() {
      this.order = made++;
      knobs.all.push(this);
      this.connectionState = "new";
      this.iceGatheringState = "complete";
      this.localDescription = null;
      this.decoded = 0;
      this.captured = 0;
    }
    addTransceiver(kind) {
      return { receiver: { track: { kind } } };
    }
    getReceivers() {
      const now = Date.now() + 2208988800000;
      const last = this.captured + 2208988800000;
      return [{ track: { kind: "video" }, getSynchronizationSources: () => [{ captureTimestamp: this.stopped ? last : now - 60 - (this.order % 5) * 12 }] }];
    }
    async createOffer() {
      return { type: "offer", sdp: "v=0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n" };
    }
    setConfiguration() {}
    async setLocalDescription(offer) {
      this.localDescription = offer;
    }
    async setRemoteDescription({ sdp }) {
      this.camera = Number(sdp.match(/a=x-camera:(\d+)/)?.[1]);
      this.connectionState = "connected";
      const canvas = document.createElement("canvas");
      // A quarter of a sub stream's size, and every second of its pictures: six of these cost Chromium more than the page.
      canvas.width = 320;
      canvas.height = 180;
      const context = canvas.getContext("2d");
      context.scale(0.5, 0.5);
      const hue = (this.order * 47) % 360;
      this.draw = setInterval(() => {
        if (knobs.stop || this.cut) {
          this.stopped = true;
          return;
        }
        this.captured = Date.now() - 60;
        if (knobs.freeze && this.decoded > 10) {
          this.decoded += 2;
          street(context, hue, this.order);
          return;
        }
        street(context, hue, performance.now() / 1000 + this.order);
        this.decoded += 2;
      }, 160);
      const track = canvas.captureStream(6).getVideoTracks()[0];
      this.track = track;
      this.ontrack?.({ track, receiver: {} });
    }
    async getStats() {
      return new Map([["v", { type: "inbound-rtp", kind: "video", framesDecoded: this.decoded, packetsReceived: this.decoded * 9, packetsLost: 0 }]]);
    }
    close() {
      clearInterval(this.draw);
      this.track?.stop();
    }
  };

  const street = (context, hue, time) => {
    const [width, height] = [640, 360];
    context.fillStyle = "#9fb9cc";
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#6d7277";
    context.fillRect(0, 150, width, 210);
    for (let n = 0; n < 6; n += 1) {
      const left = n < 3;
      const deep = (n % 3) / 3;
      context.fillStyle = `hsl(${hue + n * 14} 18% ${left ? 52 - deep * 8 : 40 - deep * 6}%)`;
      const near = 320 - 300 * (1 - deep * 0.55);
      const far = 320 - 300 * (1 - (deep + 0.33) * 0.55);
      const top = 20 + deep * 60;
      context.beginPath();
      const side = (x) => (left ? x : width - x);
      for (const [x, y] of [[near, top], [far, top + 22], [far, 165 + (1 - deep) * 34], [near, 190 + (1 - deep) * 80]]) context.lineTo(side(x), y);
      context.fill();
    }
    context.strokeStyle = "#d9dccf";
    context.setLineDash([26, 22]);
    context.lineDashOffset = 0;
    context.lineWidth = 4;
    context.beginPath();
    context.moveTo(320, 165);
    context.lineTo(300, 360);
    context.stroke();
    for (let n = 0; n < 3; n += 1) {
      const way = (time * 0.16 + n / 3) % 1;
      const size = 14 + way * 70;
      const x = 340 + way * 120;
      const y = 172 + way * way * 190;
      context.fillStyle = ["#e8e9e6", "#8d2f2b", "#2f4b74"][n];
      context.fillRect(x, y - size * 0.5, size * 1.5, size * 0.55);
      context.fillStyle = "#1c2226";
      context.fillRect(x + size * 0.2, y - size * 0.75, size, size * 0.3);
    }
  };
})();
