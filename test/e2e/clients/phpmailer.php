<?php
/* PHPMailer as newsletter programs use it.  Reads a job as JSON on stdin, prints one line a message:
 * the queue id that PHPMailer found in the reply; then {"seconds":...} for all of them.
 * Job: host, port, secure ("tls"|"ssl"|""), user, password, ca, keepalive, messages:
 *      [{from, to: [...], subject, text, html, attachment}] */
require '/usr/share/php/libphp-phpmailer/autoload.php';
use PHPMailer\PHPMailer\PHPMailer;

$job = json_decode(stream_get_contents(STDIN), true);
$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = $job['host'];
$mail->Port = $job['port'];
$mail->SMTPSecure = $job['secure'];
$mail->SMTPKeepAlive = $job['keepalive'];
$mail->SMTPOptions = ['ssl' => ['cafile' => $job['ca']]];
$mail->SMTPAuth = isset($job['user']);
$mail->Username = $job['user'] ?? '';
$mail->Password = $job['password'] ?? '';
$mail->CharSet = 'UTF-8';

$begin = microtime(true);
foreach ($job['messages'] as $one) {
    $mail->clearAllRecipients();
    $mail->clearAttachments();
    $mail->setFrom($one['from'], $one['name'] ?? '');
    foreach ($one['to'] as $to) {
        $mail->addAddress($to);
    }
    foreach ($one['bcc'] ?? [] as $to) {
        $mail->addBCC($to);
    }
    $mail->Subject = $one['subject'];
    if (isset($one['html'])) {
        $mail->isHTML(true);
        $mail->Body = $one['html'];
        $mail->AltBody = $one['text'];
    } else {
        $mail->isHTML(false);
        $mail->Body = $one['text'];
    }
    if (isset($one['attachment'])) {
        $mail->addStringAttachment(base64_decode($one['attachment']), 'attachment.bin');
    }
    $mail->Encoding = $one['encoding'] ?? '8bit';
    $mail->send();
    echo $mail->getSMTPInstance()->getLastTransactionID(), "\n";
}
$mail->smtpClose();
echo json_encode(['seconds' => microtime(true) - $begin]), "\n";
