// What can be said of a password before it is sent; the server has the last word.
import { t } from "../core/i18n";

export const SHORTEST = 15;

export function password_fault(password: string): string | null {
  return [...password].length < SHORTEST ? t("setup.admin.short", { n: SHORTEST }) : null;
}
