// Who is signed in, and what they prefer.
import { get, post, Problem, remove } from "./api";
import { preferred, speak } from "./i18n";
import { hush } from "./live";
import { type Language, type Session, session, type Theme } from "./signals";
import { theme, wear } from "./theme";

export async function welcome(found: Session): Promise<void> {
  if (found.language) localStorage.setItem("language", found.language);
  await speak(found.language || preferred());
  if (found.theme) wear(found.theme);
  session.value = found;
}

/** Asks who we are; a server that does not answer is asked again by whoever shows that. */
export async function ask_session(): Promise<Problem | null> {
  try {
    await welcome(await get<Session>("/session"));
    return null;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) return error as Problem;
    await speak(preferred());
    session.value = null;
    return null;
  }
}

export async function sign_in(user: string, password: string, code?: string): Promise<void> {
  await welcome(await post<Session>("/session", code ? { user, password, code } : { user, password }));
}

export async function sign_out(): Promise<void> {
  await remove("/session").catch(() => undefined); // gone already, or the cookie dies with the browser
  hush();
  session.value = null;
}

export async function prefer(change: { language?: Language; theme?: Theme }): Promise<void> {
  if (change.theme) wear(change.theme);
  if (change.language) {
    localStorage.setItem("language", change.language);
    await speak(change.language);
  }
  if (!session.value) return;
  const language = change.language ?? (session.value.language || preferred());
  session.value = { ...session.value, language, theme: theme.value };
  await post("/session:preferences", { language, theme: theme.value }).catch(() => undefined); // kept here at least
}
