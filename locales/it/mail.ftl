mail-greeting = Buongiorno,
mail-when = Quando: { $when } (ora italiana)
mail-where = Da dove: { $browser }, indirizzo { $address }
mail-named = Nome: { $name }
mail-account = Il Suo account: { $url }
mail-footer = Messaggio automatico di { $issuer }. Non Le chiederemo mai la password o un codice per e-mail o per telefono. Nel dubbio non segua collegamenti: scriva Lei stesso l’indirizzo nel browser.

mail-new-device-subject = Nuovo accesso alla Sua identità digitale
mail-new-device-what = qualcuno ha effettuato un accesso con la Sua identità presso { $issuer }, da un browser che non aveva ancora usato.
mail-new-device-advice = Se è stato Lei, non deve fare nulla. Se non è stato Lei, apra subito il Suo account, cambi la password e chiuda le sessioni che non riconosce.

mail-offline-access-used-subject = Un servizio ha usato l’accesso ai Suoi dati
mail-offline-access-used-what = il servizio «{ $rp }» ha usato l’accesso che gli ha concesso anche quando Lei non è collegato, e può leggere di nuovo i dati per cui ha dato il consenso.
mail-offline-access-used-advice = Se lo ha voluto Lei, non deve fare nulla. Altrimenti apra il Suo account e revochi il consenso a questo servizio: da quel momento non può più leggere nulla. La avvisiamo al massimo una volta al giorno per ogni servizio.

mail-factor-added-subject = Nuovo secondo fattore registrato
mail-factor-added-what = alla Sua identità presso { $issuer } è stato aggiunto un secondo fattore.
mail-factor-added-advice = Se non è stato Lei, apra subito il Suo account, rimuova il secondo fattore che non riconosce e cambi la password.

mail-factor-removed-subject = Secondo fattore rimosso
mail-factor-removed-what = dalla Sua identità presso { $issuer } è stato rimosso un secondo fattore.
mail-factor-removed-advice = Se non è stato Lei, apra subito il Suo account, cambi la password e registri di nuovo il secondo fattore.

mail-recovery-renewed-subject = Nuovi codici di recupero
mail-recovery-renewed-what = per la Sua identità presso { $issuer } sono stati creati nuovi codici di recupero. Quelli precedenti non valgono più.
mail-recovery-renewed-advice = Se non è stato Lei, apra subito il Suo account, cambi la password e crei altri codici di recupero.

mail-recovery-used-subject = Codice di recupero usato
mail-recovery-used-what = per accedere con la Sua identità presso { $issuer } è stato usato un codice di recupero.
mail-recovery-used-advice = Se non è stato Lei, apra subito il Suo account, cambi la password e crei nuovi codici di recupero.

mail-password-changed-subject = Password cambiata
mail-password-changed-what = la password della Sua identità presso { $issuer } è stata cambiata. Tutte le altre sessioni sono state chiuse.
mail-password-changed-advice = Se non è stato Lei, si rivolga subito all’assistenza di { $issuer }: con la password nuova solo chi l’ha cambiata può accedere.

mail-factors-reset-subject = Secondi fattori azzerati
mail-factors-reset-what = l’assistenza di { $issuer } ha rimosso tutti i secondi fattori della Sua identità, compresi i codici di recupero.
mail-factors-reset-advice = Se lo ha chiesto Lei, ora può registrarne di nuovi. Se non lo ha chiesto, si rivolga subito all’assistenza di { $issuer }.

mail-email-changed-subject = Indirizzo e-mail cambiato
mail-email-changed-what = l’assistenza di { $issuer } ha cambiato o tolto l’indirizzo e-mail della Sua identità. All’indirizzo di prima non arrivano più né avvisi né codici per accedere.
mail-email-changed-advice = Se lo ha chiesto Lei, non deve fare nulla. Se non lo ha chiesto, si rivolga subito all’assistenza di { $issuer }, poi apra il Suo account, cambi la password e chiuda le sessioni che non riconosce.

mail-fiscal-number-changed-subject = Codice fiscale cambiato
mail-fiscal-number-changed-what = l’assistenza di { $issuer } ha cambiato il codice fiscale registrato per la Sua identità. Da questo dato La riconoscono i servizi, e chi ha una carta con quel codice può usarla per accedere.
mail-fiscal-number-changed-advice = Se ha chiesto Lei la correzione, non deve fare nulla. Se non l’ha chiesta, si rivolga subito all’assistenza di { $issuer } e chieda che cosa è stato cambiato.

mail-consent-expiring-subject = Un Suo consenso sta per scadere
mail-consent-expiring-what = il consenso che ha dato al servizio «{ $rp }» scade il { $until }. Dopo quella data il servizio non può più leggere i Suoi dati senza chiederglielo di nuovo.
mail-consent-expiring-advice = Non deve fare nulla. Se vuole che finisca prima, apra il Suo account e revochi il consenso a questo servizio.

mail-email-code-subject = Il Suo codice di accesso
mail-email-code-what = il codice per completare l’accesso al servizio «{ $rp }» con la Sua identità presso { $issuer } è { $code }. Vale una volta sola, per { $minutes } minuti.
mail-email-code-advice = Lo inserisca solo nella pagina su cui ha iniziato l’accesso, e non lo dica a nessuno. Se non sta accedendo, qualcuno conosce la Sua password: apra il Suo account e la cambi.
