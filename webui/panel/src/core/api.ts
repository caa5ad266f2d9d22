// The one way to the server: /api/v1, JSON, problem+json for errors.
import { confirmation, session } from "./signals";

export type Params = Record<string, string | number | boolean | null | undefined>;

interface ProblemBody {
  code?: string;
  detail?: string;
  title?: string;
  params?: Record<string, string | number>;
  field_errors?: Record<string, string>;
}

/** What the server answered instead of what was asked; code "unreachable" when it did not answer. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly params: Record<string, string | number>;
  readonly field_errors: Record<string, string>;

  constructor(status: number, body: ProblemBody) {
    super(body.detail || body.title || "");
    this.status = status;
    this.code = body.code || `http_${status}`;
    this.params = body.params || {};
    this.field_errors = body.field_errors || {};
  }
}

export function query(params: Params = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== null && value !== undefined && value !== "") words.set(name, String(value));
  const text = words.toString();
  return text && `?${text}`;
}

async function read_problem(response: Response): Promise<Problem> {
  let body: ProblemBody = {};
  try {
    body = (await response.json()) as ProblemBody;
  } catch {
    // an answer of something between us and the server: the status says enough
  }
  const problem = new Problem(response.status, body);
  const wait = response.headers.get("Retry-After");
  if (wait && problem.params.seconds === undefined) problem.params.seconds = Number(wait);
  return problem;
}

async function send(method: string, path: string, body: unknown, stop?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-Staffetta"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(`/api/v1${path}`, {
      method, headers, credentials: "same-origin", cache: "no-store",
      body: body === undefined ? null : JSON.stringify(body),
      signal: stop ?? null,
    });
  } catch (error) {
    if (stop?.aborted) throw error;
    throw new Problem(0, { code: "unreachable" });
  }
}

function confirm_identity(): Promise<boolean> {
  return new Promise((resolve) => {
    const waiting = confirmation.value;
    confirmation.value = (confirmed) => {
      waiting?.(confirmed);
      resolve(confirmed);
    };
  });
}

async function ask(method: string, path: string, body?: unknown, stop?: AbortSignal): Promise<Response> {
  let response = await send(method, path, body, stop);
  if (response.ok) return response;
  let problem = await read_problem(response);
  if (problem.code === "confirm_first" && (await confirm_identity())) {
    response = await send(method, path, body, stop);
    if (response.ok) return response;
    problem = await read_problem(response);
  }
  if (problem.status === 401 && path !== "/session" && problem.code === "not_signed_in") session.value = null;
  throw problem;
}

async function read<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export async function get<T>(path: string, params?: Params, stop?: AbortSignal): Promise<T> {
  return read<T>(await ask("GET", path + query(params), undefined, stop));
}

/** Bytes as they are, for a file. */
export async function get_file(path: string): Promise<Blob> {
  return (await ask("GET", path)).blob();
}

export async function post<T>(path: string, body?: unknown): Promise<T> {
  return read<T>(await ask("POST", path, body));
}

export async function remove<T>(path: string, params?: Params): Promise<T> {
  return read<T>(await ask("DELETE", path + query(params)));
}

/** One part of a path: ids and names come from outside. */
export const part = (name: string): string => encodeURIComponent(name);

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
  total?: number | null;
  total_is_estimate?: boolean;
}
