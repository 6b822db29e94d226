other-way-external = Confermo con l’app del mio gestore di identità
other-way-email = Ricevo un codice per e-mail

elsewhere-title = Confermi con: { $name }
elsewhere-explain = Prema il pulsante: in «{ $name }» compare una richiesta, con la quale conferma la Sua identità. Tenga il dispositivo a portata di mano.
elsewhere-begin = Inviami la richiesta
elsewhere-open = Apra «{ $name }» e confermi lì la richiesta.
elsewhere-number = Numero
elsewhere-number-help = Confermi solo se vede lì lo stesso numero. Se vede una richiesta che non ha iniziato Lei, la rifiuti e cambi la password: qualcun altro la conosce.
elsewhere-waiting = Aspettiamo la Sua conferma, fino al { $time }. Questa pagina prosegue da sola.
elsewhere-silent = «{ $name }» in questo momento non risponde. Continuiamo a provare; se ci vuole troppo, scelga un altro modo qui sotto o annulli.
elsewhere-check = Controlla ora
elsewhere-again = Invia una nuova richiesta
elsewhere-denied = La richiesta è stata rifiutata in «{ $name }». Se non è stato Lei, o se non ha iniziato Lei questo accesso, cambi la password.
elsewhere-unavailable = «{ $name }» non può chiederLe la conferma: forse non è attivata per Lei. Scelga un altro modo, o chieda al Suo gestore di identità.
elsewhere-expired = Nessuno ha confermato la richiesta in tempo. Può farsene inviare una nuova.
elsewhere-locked = A «{ $name }» sono state inviate troppe richieste che nessuno ha confermato. Per la Sua sicurezza non ne inviamo altre fino al { $time }. Nel frattempo scelga un altro modo; se non è stato Lei a tentare, cambi la password.

email-code-title = Codice per e-mail
email-code-explain = Inviamo un codice a { $address }. Vale una volta sola, per dieci minuti.
email-code-send = Inviami il codice
email-code-sent = Abbiamo inviato un codice a { $address }: { $time }. Può metterci un minuto; guardi anche nella posta indesiderata.
email-code = Codice ricevuto per e-mail
email-code-help = Le sei cifre dell’ultima e-mail. I codici precedenti non valgono più.
email-code-again = Invia un nuovo codice
email-code-wrong = Il codice non è corretto o non vale più. Usi quello dell’ultima e-mail, o se ne faccia inviare uno nuovo.
