import { Setting } from './Setting.ts'

const FORMS = 'SHARE:ATTACK, as in 0.4:sign-flip'

/** Which part of the clients lies, and how: the attack as `parseAttack` reads it. */
export type AttackWish = { readonly share: number; readonly attack: string }

/** Reads `--attackers`. Throws PotluckError BAD_SETTING. */
export function parseAttackers(text: string): AttackWish {
  const colon = text.indexOf(':')
  const share = /^0?\.\d{1,6}$/.test(text.slice(0, Math.max(0, colon))) ? Number(text.slice(0, colon)) : 0
  if (share > 0) return { share, attack: text.slice(colon + 1) }
  const setting = new Setting('--attackers', text, FORMS)
  throw setting.refuse('expected a share of the clients above 0 and below 1 in front')
}
