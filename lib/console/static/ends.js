// Says that a run ended by a sound and by a notification, for those who wish it.
export async function wished(box, refused) {
  if (box.name === "sound") return chime(true);
  const allowed = globalThis.Notification && await Notification.requestPermission() === "granted";
  refused.hidden = allowed;
  if (!allowed) box.click();
}

export function end(run, text, wish) {
  if (wish.sound.checked) chime(run.state === "completed");
  if (wish.notify.checked && globalThis.Notification?.permission === "granted") new Notification("Régie", { body: text, tag: run.run_id });
}

let sound;
function chime(well) {
  sound ??= new AudioContext();
  sound.resume();
  (well ? [660, 880] : [440, 330]).forEach((pitch, place) => {
    const note = sound.createOscillator(), volume = sound.createGain(), start = sound.currentTime + place * 0.18;
    note.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.4);
    note.connect(volume).connect(sound.destination);
    note.start(start);
    note.stop(start + 0.4);
  });
}
