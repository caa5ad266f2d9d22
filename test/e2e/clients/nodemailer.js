/* nodemailer, pooled, as Node programs use it.  Reads a job as JSON on stdin (see phpmailer.php),
 * prints the last reply of each message, one a line. */
const nodemailer = require("nodemailer");
const fs = require("fs");

async function main() {
    const job = JSON.parse(fs.readFileSync(0, "utf8"));
    const transport = nodemailer.createTransport({
        pool: true,
        maxConnections: 3,
        host: job.host,
        port: job.port,
        secure: job.secure === "ssl",
        requireTLS: job.secure === "tls",
        auth: { user: job.user, pass: job.password },
        tls: { ca: fs.readFileSync(job.ca) },
    });
    const sent = job.messages.map((one) =>
        transport.sendMail({
            from: one.from,
            to: one.to,
            subject: one.subject,
            text: one.text,
            html: one.html,
            attachments: one.attachment
                ? [{ filename: "attachment.bin", content: Buffer.from(one.attachment, "base64") }]
                : [],
        }),
    );
    for (const info of await Promise.all(sent)) {
        console.log(info.response);
    }
    transport.close();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
