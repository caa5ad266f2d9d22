/* How each program that sends mail is told about this relay: fields in the order of its own form,
 * or lines to paste.  PASSWORD stands for what is shown only once. */

export interface Account {
  host: string;
  user: string;
  sender: string; /* an address that the user may send as */
  starttls: number | null; /* ports; null: no such listener */
  implicit: number | null;
  password?: string;
}

export type Label = "from" | "host" | "port" | "security" | "auth" | "user" | "password" | "connections";

export interface Recipe {
  name: string;
  fields?: [Label, string][];
  code?: string;
}

interface Way {
  port: number;
  is_implicit: boolean;
}

function way_of(account: Account): Way {
  return account.starttls !== null || account.implicit === null
    ? { port: account.starttls ?? 587, is_implicit: false }
    : { port: account.implicit, is_implicit: true };
}

const php_text = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
const shell_text = (text: string) => `'${text.replace(/'/g, `'\\''`)}'`;

type Maker = (account: Account, way: Way, password: string) => Omit<Recipe, "name">;

function form(auth: string, secure: (way: Way) => string, labels: Label[]): Maker {
  return (account, way, password) => {
    const values: Record<Label, string> = {
      from: account.sender, host: account.host, port: String(way.port), security: secure(way), auth,
      user: account.user, password, connections: "5",
    };
    return { fields: labels.map((label) => [label, values[label]]) };
  };
}

const tls = (way: Way) => (way.is_implicit ? "SSL/TLS" : "STARTTLS");

const makers: Record<string, Maker> = {
  WordPress: form("on", (way) => (way.is_implicit ? "SSL" : "TLS"),
    ["from", "host", "security", "port", "auth", "user", "password"]),

  PHPMailer: (account, way, password) => ({
    code: [
      "$mail->isSMTP();",
      `$mail->Host = ${php_text(account.host)};`,
      `$mail->Port = ${way.port};`,
      `$mail->SMTPSecure = ${way.is_implicit ? 'PHPMailer::ENCRYPTION_SMTPS' : 'PHPMailer::ENCRYPTION_STARTTLS'};`,
      "$mail->SMTPAuth = true;",
      `$mail->Username = ${php_text(account.user)};`,
      `$mail->Password = ${php_text(password)};`,
      "$mail->SMTPKeepAlive = true;",
    ].join('\n'),
  }),

  phpList: (account, way, password) => ({
    code: [
      `define('PHPMAILERHOST', ${php_text(account.host)});`,
      `define('PHPMAILERPORT', ${way.port});`,
      `define('PHPMAILER_SECURE', '${way.is_implicit ? 'ssl' : 'tls'}');`,
      `$phpmailer_smtpuser = ${php_text(account.user)};`,
      `$phpmailer_smtppassword = ${php_text(password)};`,
    ].join('\n'),
  }),

  Mautic: (account, way, password) => ({
    code: `${way.is_implicit ? 'smtps' : 'smtp'}://${encodeURIComponent(account.user)}:` +
      `${encodeURIComponent(password)}@${account.host}:${way.port}`,
  }),

  listmonk: form("LOGIN", tls, ["host", "port", "auth", "user", "password", "security", "connections"]),

  SendBlaster: (account, way, password) => ({
    fields: [
      ['host', `${account.host}:${account.implicit ?? way.port}`],
      ["security", account.implicit === null ? "TLS" : "SSL"],
      ["user", account.user], ["password", password], ["connections", "5"],
    ],
  }),

  Thunderbird: form("normal", tls, ["host", "port", "security", "auth", "user", "password"]),
  Outlook: form("on", tls, ["host", "port", "security", "auth", "user", "password"]),

  curl: (account, way, password) => ({
    code: [
      'curl --ssl-reqd --upload-file message.eml \\',
      `  --url ${shell_text(`${way.is_implicit ? 'smtps' : 'smtp'}://${account.host}:${way.port}`)} \\`,
      `  --user ${shell_text(`${account.user}:${password}`)} \\`,
      `  --mail-from ${shell_text(account.sender)} --mail-rcpt ${shell_text(account.sender)}`,
    ].join('\n'),
  }),
};

export const PASSWORD = "PASSWORD";
export const PROGRAMS = Object.keys(makers);

export function recipe(program: string, account: Account): Recipe {
  const make = makers[program]!;
  return { name: program, ...make(account, way_of(account), account.password ?? PASSWORD) };
}
