second-factor-title = Confermi la Sua identità
second-factor-submit = Conferma
otp = Codice temporaneo
otp-help = Le sei cifre che la Sua app di autenticazione mostra in questo momento.
recovery-code = Codice di recupero
recovery-code-help = Uno dei codici che ha conservato quando ha registrato l’app. Ognuno vale una volta sola.
other-way-recovery = Non ho l’app con me: uso un codice di recupero
other-way-totp = Uso il codice dell’app
login-as-other = Accedi con un’altra utenza

no-factor-title = Serve un secondo fattore
no-factor-enrol = Il servizio richiede un accesso con secondo fattore, e Lei non ne ha ancora registrato uno. Può registrare ora un’app di autenticazione sul Suo telefono: basta circa un minuto. Poi l’accesso prosegue.
no-factor-enrol-button = Registra un’app
no-factor-operator = Il servizio richiede un accesso con secondo fattore, e per Lei non ne risulta registrato nessuno. Lo chieda all’assistenza di { $organization }. Se annulla, torna al servizio.

proof-error-missing = Compili tutti i campi.
proof-error-wrong_password = La password non è corretta. La controlli e riprovi.
proof-error-wrong_code = Il codice non è corretto. Guardi di nuovo l’app: il codice cambia ogni 30 secondi. Se non funziona mai, controlli che l’ora del telefono sia impostata automaticamente.
proof-error-used_before = Questo codice è già stato usato. Attenda che l’app mostri il prossimo, al massimo 30 secondi, e inserisca quello.
proof-error-clock_ahead = { $minutes ->
    [one] Il codice è di un altro momento: l’orologio del Suo telefono è avanti di un minuto.
   *[other] Il codice è di un altro momento: l’orologio del Suo telefono è avanti di { $minutes } minuti.
}
proof-error-clock_behind = { $minutes ->
    [one] Il codice è di un minuto fa. Se l’app lo mostra proprio adesso, l’orologio del Suo telefono è indietro di un minuto.
   *[other] Il codice è di { $minutes } minuti fa. Se l’app lo mostra proprio adesso, l’orologio del Suo telefono è indietro di { $minutes } minuti.
}
proof-error-clock_set = Nelle impostazioni del telefono imposti data e ora automatiche, poi inserisca il codice che l’app mostra.
proof-error-server_behind = Il codice non può essere accettato: l’orologio di questo sistema è rimasto indietro, Lei non ha sbagliato nulla. Riprovi dopo il { $time }, o usi un altro modo di accesso; se ha fretta, avvisi l’assistenza.
proof-error-of_the_future = Il codice è stato inviato prima che l’orologio di questo sistema tornasse indietro, e non vale più. Ne chieda un altro.
proof-error-locked = Troppi codici errati. Per la Sua sicurezza questi codici sono rifiutati fino al { $time }. Fino ad allora può usare un codice di recupero; se non è stato Lei a tentare, cambi la password.
proof-error-expired = È passato troppo tempo. Ricominci, per favore.
proof-error-busy = In questo momento ci sono moltissimi accessi. Attenda qualche secondo e riprovi.
proof-error-password_length = La nuova password deve avere almeno 8 caratteri e al massimo 1024 byte.
proof-error-passwords_differ = Le due nuove password sono diverse. Inserisca due volte la stessa.
proof-error-same_password = La nuova password è quella che ha già. Ne scelga un’altra.
proof-error-too_many = Ha già il numero massimo di secondi fattori. Prima ne rimuova uno.

enrol-title = Registri un’app di autenticazione
enrol-failed = L’app non è ancora registrata
enrol-intro = Usi una qualsiasi app per codici temporanei (TOTP), per esempio FreeOTP, Aegis, Google Authenticator o il Suo gestore di password. Ciò che vede qui è segreto: non lo mostri a nessuno.
enrol-scan = Inquadri questo codice con l’app:
enrol-qr = Codice QR con il segreto del Suo nuovo secondo fattore
enrol-type = Oppure digiti questa chiave nell’app:
enrol-open = Oppure la apra in un’app su questo dispositivo
enrol-code = Inserisca le sei cifre che l’app mostra. Da quel momento il secondo fattore è valido.
enrol-submit = Registra

codes-title = I Suoi codici di recupero
codes-explain = Se non ha l’app con sé, uno di questi codici sostituisce il codice temporaneo. Ognuno vale una volta sola. Li stampi o li scriva, e li conservi lontano dal telefono.
codes-once = Vengono mostrati solo ora. I codici ricevuti in precedenza non valgono più.
codes-continue = Li ho conservati: prosegui

account-title = Il Suo account
account-intro = Qui vede e modifica ciò che protegge la Sua identità digitale. I Suoi accessi ai servizi sono nella pagina
account-notice-added = Il secondo fattore è registrato.
account-notice-removed = Il secondo fattore è stato rimosso.
account-notice-renamed = Il secondo fattore ha un nuovo nome.
account-notice-password = La Sua password è stata cambiata. Tutte le altre sessioni sono state chiuse.
account-notice-session = La sessione è stata chiusa.
account-notice-others = Tutte le altre sessioni sono state chiuse.
factors-title = Secondi fattori
factors-explain = I servizi con sicurezza più alta richiedono, oltre alla password, un codice temporaneo o una chiave di sicurezza. Chi scopre la Sua password non può comunque accedervi.
factors-empty = Nessun secondo fattore registrato.
factors-operator = Chieda il primo all’assistenza di { $organization }.
factors-no-proof = Per cambiare ciò che protegge il Suo account deve confermare di essere Lei con la password o con una chiave di sicurezza che chiede un PIN o l’impronta, e qui non ha né l’una né l’altra. Si rivolga all’assistenza di { $organization }: Le può dare una password.
factors-add = Aggiungi un’app di autenticazione
factor-given = Autenticatore registrato dall’assistenza
factor-since = Registrato il { $time }
factor-last-used = Ultimo uso il { $time }
factor-never-used = Mai usato
factor-remove = Rimuovi
factor-name = Nome
factor-name-help = Facoltativo: da che cosa riconoscerà il dispositivo, per esempio «telefono».
recovery-title = Codici di recupero
recovery-left = { $count ->
    [0] Non ha più codici di recupero. Ne crei di nuovi prima di averne bisogno.
    [one] Le resta un codice di recupero. Ne crei di nuovi prima di averne bisogno.
   *[other] Le restano { $count } codici di recupero.
}
recovery-renew = Crea nuovi codici di recupero
password-current = Password attuale
password-new = Nuova password
password-new-help = Almeno 8 caratteri. Meglio lunga e facile da ricordare che corta e complicata.
password-again = Ripeta la nuova password
sessions-title = Dove ha effettuato l’accesso
sessions-explain = Se non riconosce una sessione, la chiuda e cambi la password.
session-current = questa
session-since = Dal { $time }
session-end = Chiudi
sessions-end-others = Chiudi tutte le altre sessioni
sessions-only-this = Non ci sono altre sessioni.
sessions-more = Ci sono altre sessioni che non vengono mostrate. «Chiudi tutte le altre sessioni» chiude anche quelle.
back-to-account = Torna al Suo account

change-failed = Non è stato modificato nulla
change-add_factor = Aggiunga un’app di autenticazione
change-explain-add_factor = Prima confermi la Sua identità. Poi vedrà un codice da inquadrare con l’app.
change-submit-add_factor = Prosegui
change-remove_factor = Rimuova un secondo fattore
change-explain-remove_factor = Sta per rimuovere «{ $name }». Non sarà più accettato.
change-explain-last_factor = È il Suo unico secondo fattore. Senza, non potrà più accedere ai servizi che ne richiedono uno, e anche i codici di recupero non varranno più.
change-submit-remove_factor = Rimuovi
change-renew_codes = Crei nuovi codici di recupero
change-explain-renew_codes = Vedrà dieci nuovi codici, una volta sola. Tutti i codici ricevuti in precedenza non varranno più.
change-submit-renew_codes = Crea nuovi codici
change-change_password = Cambi la password
change-explain-change_password = Tutte le Sue altre sessioni verranno chiuse.
change-submit-change_password = Cambia password

nav-account = Il Suo account
home-account-title = Il Suo account
home-account-text = Secondi fattori, password, e dove ha effettuato l’accesso.
home-account-button = Apri l’account
login-for-account = Acceda al Suo account.
factor-rename = Cambi il nome
factor-new-name = Nuovo nome
factor-rename-save = Salva il nome
factor-name-missing = Scriva un nome, per esempio «Telefono di lavoro».
