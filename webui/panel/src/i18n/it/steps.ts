import type { steps as english } from "../en/steps";

export const steps: Record<keyof typeof english, string> = {
  "setup.service.intro": "Ciò con cui il relay lavora adesso. Viene dal file di configurazione.",
  "setup.service.name": "Nome host",
  "setup.service.name_hint": "Deve essere il nome della macchina nel DNS, e il record PTR del suo indirizzo deve ricondurre ad esso.",
  "setup.service.listeners": "Punti di ascolto",
  "setup.service.no_listeners": "Nessun punto di ascolto: i programmi non possono ancora consegnare posta.",
  "setup.service.certificate": "Certificato",
  "setup.service.no_certificate": "Nessun certificato. Le password si accettano solo con TLS, quindi serve.",
  "setup.domain.intro": "La posta di questo dominio verrà firmata con DKIM. Le chiavi nascono e restano qui; due record vanno nel DNS.",
  "setup.domain.make": "Aggiungi e crea le chiavi",
  "setup.domain.made": "Pubblicare questi record, poi proseguire. Si ritrovano in «Domini e DNS».",
  "setup.user.intro": "L’account con cui un programma accede per inviare posta.",
  "setup.test.intro": "Tutto è pronto. Inserire questi valori nel programma che invia, e mandare un messaggio: l’accesso comparirà qui.",
  "setup.test.none": "Senza un utente SMTP non c’è ancora nulla da provare.",
};
