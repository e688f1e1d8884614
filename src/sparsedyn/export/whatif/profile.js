// What an input does over time: as recorded, constant, or drawn; and a shift of all of it.

const KINDS = { recorded: "As recorded", constant: "Constant", drawn: "Drawn" };

/** A profile that follows the record. */
const asRecorded = () => ({ kind: "recorded", constant: 0, shift: 0, drawn: null });

const isRecorded = (profile) => profile.kind === "recorded" && profile.shift === 0;

/** The values of a profile at so many rows; past the end of a record its last value stays. */
function valuesOf(profile, recorded, rows) {
  if (profile.kind === "constant") return new Float64Array(rows).fill(profile.constant);
  const base = profile.kind === "drawn" ? profile.drawn : recorded;
  return Float64Array.from({ length: rows }, (_, k) => base[Math.min(k, base.length - 1)] + profile.shift);
}

/** Another kind of profile, which begins with what the input is now: nothing jumps when it is chosen. */
function turned(profile, kind, recorded, rows) {
  const now = valuesOf(profile, recorded, rows);
  if (kind === "recorded") return asRecorded();
  if (kind === "constant") return { ...asRecorded(), kind, constant: now[0] };
  return { ...asRecorded(), kind, drawn: now };
}

/** A drawn profile with a line from one point to another, [row, value] each; rows outside are left out. */
function lined(profile, from, to, rows) {
  const drawn = valuesOf({ ...profile, shift: 0 }, null, rows);
  const [[a, left], [b, right]] = from[0] <= to[0] ? [from, to] : [to, from];
  for (let k = Math.max(0, a); k <= Math.min(rows - 1, b); ++k) {
    drawn[k] = (a === b ? to[1] : left + ((k - a) / (b - a)) * (right - left)) - profile.shift;
  }
  return { ...profile, drawn };
}
