// Makes the real gateway obey the control file of the stand-in (see faults.rs), as far as any program can have such faults. Every
// Node that is started in a test loads this; only the gateway's main thread goes on.
const fs = require('fs');
const { isMainThread } = require('worker_threads');
if (isMainThread && process.argv.includes('gateway') && process.argv.includes('--port')) {
  const begun = Date.now();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  // Stops the whole loop like a computation does, without the heat.
  const pause = () => Atomics.wait(cell, 0, 0, 10);
  const faults = () => {
    try {
      const all = JSON.parse(fs.readFileSync(`${process.env.HOME}/.openclaw/stand-in.json`, 'utf8'));
      return all.only_pid && all.only_pid !== process.pid ? {} : all;
    } catch {
      return {};
    }
  };
  const obey = () => {
    const now = faults();
    if (now.exit_after_ms != null && Date.now() - begun >= now.exit_after_ms) process.exit(now.exit_code);
    return now;
  };
  while (Date.now() - begun < (obey().boot_ms ?? 0)) pause();
  let length = null;
  setInterval(() => {
    const wanted = obey().block_ms ?? null;
    // A changed length begins a new pause.
    if (wanted === length) return;
    length = wanted;
    const since = Date.now();
    while (length !== null && faults().block_ms === length && (length === 0 || Date.now() - since < length)) pause();
  }, 20).unref();
}
