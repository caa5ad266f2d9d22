// What is set up after the first sign-in.
export const steps = {
  "setup.service.intro": "What this relay runs with now. It comes from the settings file.",
  "setup.service.name": "Host name",
  "setup.service.name_hint": "It must be this machine’s name in DNS, and the PTR record of its address must lead back to it.",
  "setup.service.listeners": "Listeners",
  "setup.service.no_listeners": "No listener is set: programs cannot hand in mail yet.",
  "setup.service.certificate": "Certificate",
  "setup.service.no_certificate": "No certificate is set. Passwords are taken over TLS only, so programs need one.",
  "setup.domain.intro": "Mail from this domain will be signed with DKIM. The keys are made here and stay here; two records go into DNS.",
  "setup.domain.make": "Add and make keys",
  "setup.domain.made": "Publish these records, then go on. They can be read again under “Domains & DNS”.",
  "setup.user.intro": "The account that a program signs in with to send mail.",
  "setup.test.intro": "Everything stands. Put these values into the program that sends mail, and send a message: its sign-in appears here.",
  "setup.test.none": "Without an SMTP user there is nothing to try yet.",
};
