import type { self as english } from "../en/self";

export const self: Record<keyof typeof english, string> = {
  "me.sending": "I miei invii",
  "me.sending_intro": "Ciò che è stato inviato come {user}.",
  "me.used": "Usato della quota",
  "me.held": "Trattenuti",
  "me.held_text": "La posta resta fino a quando la quota si libera, o un amministratore la rilascia.",
  "me.waiting": "In attesa ora",
  "me.waiting_empty": "Niente in attesa.",
  "me.senders": "Posso inviare come",
  "me.deliveries": "Le mie consegne",
  "me.deliveries_empty": "Niente è stato inviato in questo periodo.",
  "me.deliveries_filter": "Cerca: to:anna state:bounced",
  "me.program": "Configurare il programma",
  "me.dns": "Il mio DNS",
  "me.dns_empty": "Nessun proprio dominio viene firmato qui.",
  "me.dns_intro": "Record che dovrebbero trovarsi nel DNS dei propri domini.",
  "me.at": "Quando",
  "me.recipient": "A",
  "me.state": "Stato",
  "me.reply": "Risposta",
  "me.recipients": "Destinatari",
};
