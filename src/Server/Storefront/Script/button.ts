// The main button: the table that the server renders its pages by (docs/decisions/0021).
import table from "../main-button.json";

export type State =
  | "loading" | "sign_in" | "reserve" | "reserved" | "reservation_closed" | "not_eligible" | "soon" | "grab" | "submitting" | "queued" | "won" | "already"
  | "maybe" | "sold_out" | "paused" | "ended" | "busy" | "offline";

export interface Facts {
  online: boolean;
  known: boolean;
  step: "idle" | "sending" | "queued" | "busy";
  order: "none" | "held" | "paid";
  phase: string;
  stock: "available" | "held" | "none";
  signedIn: boolean;
  barred: boolean;
  reservation: "not_needed" | "none" | "pending" | "approved" | "rejected";
  reservations: "before" | "open" | "closed";
  lastMinute: boolean;
}

type Rule = { if: Partial<Record<keyof Facts, (string | boolean)[]>>; state: string };
type Row = { state: string; zh: string; en: string; enabled: boolean };

const rows = new Map<string, Row>(table.states.map((row) => [row.state, row]));

/** The state of the first rule all of whose facts match. */
export function decide(facts: Facts): State {
  const matches = (rule: Rule) => Object.entries(rule.if).every(([fact, words]) => words.includes(facts[fact as keyof Facts]));
  return (table.rules as Rule[]).find(matches)!.state as State;
}

export const isEnabled = (state: State): boolean => rows.get(state)!.enabled;

/** @param seconds until the next try, for `busy` */
export const label = (state: State, language: "zh" | "en", seconds = 0): string => rows.get(state)![language].replace("{n}", String(seconds));
