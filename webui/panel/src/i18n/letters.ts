// Letters to customers in either language, whatever language the panel speaks; loaded with the message
// page.  Text for people who do not run mail: no codes but in the quotation.
import type { Cause } from "../lib/causes";
import type { Language } from "../core/signals";

export type Ending = "delivered" | "deferred" | "bounced" | "held" | "queued";

export interface Letter {
  /** {recipient}, {arrived} */
  opening: Record<Ending, string>;
  /** {reply}, {server}, {time}, {n} */
  said: string;
  /** What it means, whose side it is on, and what to do. */
  causes: Record<Cause | "other", [string, string]>;
  expires: string;
  /** What only this relay's people can do. */
  ours: string;
  closing: string;
}

export const letters: Record<Language, Letter> = {
  en: {
    opening: {
      delivered: "your message to {recipient}, which reached us on {arrived}, was handed over to the receiving server. From there on it is in the hands of the recipient’s provider.",
      deferred: "your message to {recipient}, which reached us on {arrived}, has not been delivered yet. We keep trying; nothing is lost.",
      bounced: "your message to {recipient}, which reached us on {arrived}, could not be delivered.",
      held: "your message to {recipient}, which reached us on {arrived}, is held here until it has been looked at.",
      queued: "your message to {recipient}, which reached us on {arrived}, is waiting for its turn.",
    },
    said: "On {time} the receiving server ({server}) answered, word for word:\n\n    {reply}",
    causes: {
      bad_mailbox: ["There is no mailbox of that address. The cause lies in the address.", "Please check its spelling, ask the recipient for the right one, and take the old one off your lists."],
      bad_domain: ["The domain after the @ takes no mail. The cause lies in the address or in the recipient’s DNS.", "Please check the spelling; if it is right, the recipient’s administrator has to help."],
      mailbox_full: ["The recipient’s mailbox is full. The cause is on the recipient’s side.", "Please tell the recipient by other means; once there is room, mail arrives again."],
      mailbox_closed: ["The recipient’s mailbox has been closed. The cause is on the recipient’s side.", "Please ask the recipient for another address and take this one off your lists."],
      blocked_address: ["The receiving server does not take mail from our address at the moment, because of a block list. The cause is on the side of the sending service.", "There is nothing you need to do: we look after it."],
      blocked_content: ["The receiving server takes the content for unwanted mail. The cause lies in the message.", "Please look at links, attachments and wording, and send again; newsletters need a working way to unsubscribe."],
      authentication: ["The receiving server could not verify that the mail is yours: a DNS record (SPF, DKIM or DMARC) of your domain is missing or different. The cause lies in the DNS of the sender’s domain.", "Please have whoever runs your DNS publish the records that we list for you."],
      policy: ["The rules of the receiving server do not allow this message. The cause is on the recipient’s side.", "Please ask the recipient to have it allowed there, quoting the answer above."],
      slow_down: ["The receiving provider limits how much it takes at a time, or asks new senders to come again. This is usual and no fault.", "There is nothing you need to do: delivery goes on at the pace that it allows."],
      too_big: ["The message is bigger than the receiving server allows. The cause lies in the message.", "Please send a smaller one, with a link instead of the attachment."],
      protocol: ["The receiving server did not understand the transmission. We look at which side is at fault.", "There is nothing you need to do for now."],
      network: ["The receiving server could not be reached. The cause is on the recipient’s side or on the way there.", "There is nothing you need to do: we go on trying."],
      server: ["The receiving server has trouble of its own. The cause is on the recipient’s side.", "There is nothing you need to do: we go on trying."],
      expired: ["It was tried for as long as is usual, without success.", "Please make sure of the address and send again, or reach the recipient by other means."],
      other: ["The answer says no more than what stands there.", "If it stays so, the recipient’s administrator can say more, given the answer above."],
    },
    expires: "If it cannot be delivered by {expires}, you will be told.",
    ours: "It waits because of a decision on our side: {reason}",
    closing: "Message id, for questions: {id}",
  },
  it: {
    opening: {
      delivered: "il messaggio per {recipient}, arrivato da noi il {arrived}, è stato consegnato al server ricevente. Da lì in poi è nelle mani del fornitore del destinatario.",
      deferred: "il messaggio per {recipient}, arrivato da noi il {arrived}, non è ancora stato consegnato. Continuiamo a provare: niente va perso.",
      bounced: "il messaggio per {recipient}, arrivato da noi il {arrived}, non ha potuto essere consegnato.",
      held: "il messaggio per {recipient}, arrivato da noi il {arrived}, è trattenuto qui finché non sarà stato esaminato.",
      queued: "il messaggio per {recipient}, arrivato da noi il {arrived}, attende il proprio turno.",
    },
    said: "Il {time} il server ricevente ({server}) ha risposto, alla lettera:\n\n    {reply}",
    causes: {
      bad_mailbox: ["Non esiste una casella con quell’indirizzo. La causa sta nell’indirizzo.", "Occorre verificare come è scritto, chiedere quello giusto al destinatario e togliere quello vecchio dalle liste."],
      bad_domain: ["Il dominio dopo la @ non riceve posta. La causa sta nell’indirizzo o nel DNS del destinatario.", "Occorre verificare come è scritto; se è giusto, deve intervenire l’amministratore del destinatario."],
      mailbox_full: ["La casella del destinatario è piena. La causa è dal lato del destinatario.", "Occorre avvisare il destinatario per altra via; quando ci sarà spazio, la posta arriverà di nuovo."],
      mailbox_closed: ["La casella del destinatario è stata chiusa. La causa è dal lato del destinatario.", "Occorre chiedere al destinatario un altro indirizzo e togliere questo dalle liste."],
      blocked_address: ["Il server ricevente ora non accetta posta dal nostro indirizzo, per via di una lista di blocco. La causa è dal lato del servizio di invio.", "Non occorre fare niente: ce ne occupiamo noi."],
      blocked_content: ["Il server ricevente considera il contenuto posta indesiderata. La causa sta nel messaggio.", "Occorre rivedere collegamenti, allegati e testo, e inviare di nuovo; le newsletter devono avere una disiscrizione funzionante."],
      authentication: ["Il server ricevente non ha potuto verificare il mittente: un record DNS (SPF, DKIM o DMARC) del dominio manca o è diverso. La causa sta nel DNS del dominio del mittente.", "Occorre far pubblicare i record che indichiamo da chi gestisce il DNS."],
      policy: ["Le regole del server ricevente non ammettono questo messaggio. La causa è dal lato del destinatario.", "Occorre chiedere al destinatario di farlo ammettere, citando la risposta qui sopra."],
      slow_down: ["Il fornitore del destinatario limita quanto accetta per volta, o chiede ai nuovi mittenti di ripresentarsi. È normale e non è un guasto.", "Non occorre fare niente: la consegna prosegue al ritmo consentito."],
      too_big: ["Il messaggio è più grande di quanto il server ricevente ammetta. La causa sta nel messaggio.", "Occorre inviarne uno più piccolo, con un collegamento al posto dell’allegato."],
      protocol: ["Il server ricevente non ha capito la trasmissione. Verifichiamo da quale lato sta il difetto.", "Per ora non occorre fare niente."],
      network: ["Il server ricevente non era raggiungibile. La causa è dal lato del destinatario o lungo il percorso.", "Non occorre fare niente: continuiamo a provare."],
      server: ["Il server ricevente ha difficoltà proprie. La causa è dal lato del destinatario.", "Non occorre fare niente: continuiamo a provare."],
      expired: ["Abbiamo provato per tutto il tempo consueto, senza riuscirci.", "Occorre accertarsi dell’indirizzo e inviare di nuovo, o raggiungere il destinatario per altra via."],
      other: ["La risposta non dice altro che quanto riportato.", "Se resta così, l’amministratore del destinatario può dire di più, vista la risposta qui sopra."],
    },
    expires: "Se la consegna non riuscirà entro il {expires}, arriverà un avviso.",
    ours: "Attende per una decisione presa da noi: {reason}",
    closing: "Codice del messaggio, per domande: {id}",
  },
};
