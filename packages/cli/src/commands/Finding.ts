/** One thing that `doctor` looked at. A failure says what to do about it. */
export type Finding =
  | { check: string; subject: string; ok: true; seen: string }
  | { check: string; subject: string; ok: false; seen: string; remedy: string }

export const fine = (check: string, subject: string, seen: string): Finding => ({ check, subject, ok: true, seen })
export const wrong = (check: string, subject: string, seen: string, remedy: string): Finding => ({
  ...{ check, subject, ok: false, seen, remedy },
})
