login-title = Accesso con { $brand }
login-for-rp = Questo servizio chiede di verificare la Sua identità:
login-for-history = Acceda per consultare i Suoi accessi ai servizi.
login-level = Livello di sicurezza richiesto:
login-submit = Accedi
login-failed = L’accesso non è riuscito
login-error-wrong_credentials = Il nome utente o la password non sono corretti. Controlli i dati e riprovi.
login-error-missing_username = Inserisca il nome utente.
login-error-missing_password = Inserisca la password.
login-error-throttled-seconds = { $seconds ->
    [one] Troppi tentativi. Attenda un secondo e riprovi.
   *[other] Troppi tentativi. Attenda { $seconds } secondi e riprovi.
}
login-error-throttled-minutes = { $minutes ->
    [one] Troppi tentativi. Attenda un minuto e riprovi.
   *[other] Troppi tentativi. Attenda { $minutes } minuti e riprovi.
}
login-error-level_not_reachable = Con i mezzi di accesso registrati per questo utente non è possibile raggiungere il livello di sicurezza richiesto dal servizio.
login-error-form_expired = La pagina è rimasta aperta troppo a lungo oppure i cookie sono stati cancellati. Inserisca di nuovo i dati.
login-error-clock_went_back = Il Suo accesso di prima non vale più: l’orologio di questo sistema è tornato indietro. Lei non ha sbagliato nulla: acceda di nuovo.
login-error-busy = In questo momento gli accessi sono molto numerosi. Attenda qualche secondo e riprovi.
login-attributes = Dati richiesti dal servizio
login-attributes-note = Dopo l’accesso vedrà questi dati e potrà decidere se comunicarli.

consent-title = Consenso alla comunicazione dei dati a «{ $rp }»
consent-who = Accesso effettuato come { $name }. Prima di proseguire, verifichi quali dati saranno comunicati al servizio:
consent-attributes = Dati che saranno comunicati
consent-no-value = non disponibile: non sarà comunicato
consent-identifier-only = Nessun dato anagrafico. Il servizio riceverà soltanto un codice che La distingue presso questo servizio e che nessun altro servizio riceve.
consent-offline-title = Accesso in Sua assenza
consent-offline = Consento a «{ $rp }» di aggiornare questi dati anche in mia assenza
consent-offline-help = È facoltativo: se toglie la spunta, l’accesso riesce comunque. Può revocare questa autorizzazione in ogni momento dalla pagina «I Suoi accessi».
consent-offline-included = Il servizio «{ $rp }» potrà aggiornare questi dati anche in Sua assenza. Può revocare questa autorizzazione in ogni momento dalla pagina «I Suoi accessi».
consent-level = Livello di sicurezza di questo accesso:
consent-next = Al termine tornerà al servizio, all’indirizzo { $host }
consent-allow = Acconsento
consent-deny = Non acconsento
