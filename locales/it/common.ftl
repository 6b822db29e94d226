skip-to-content = Vai al contenuto principale
language-nav = Lingua
main-nav = Navigazione principale
nav-home = Inizio
nav-history = I Suoi accessi
brand-tagline = Accesso con identità digitale
development-notice = Ambiente di sviluppo: questo non è un servizio reale. Non inserire dati personali veri.
signed-in-as = Accesso effettuato come { $name }
footer-policy = Informativa sulla privacy
footer-reference = Codice di riferimento di questa pagina:
error-prefix = Errore:
cancel = Annulla
username = Nome utente
password = Password
rp-policy = Informativa sulla privacy del servizio
opens-new-tab = (si apre in una nuova scheda)
try-again = Riprova
back-to-rp = Torna a { $rp }

level-1 = Livello 1 (password)
level-2 = Livello 2 (password e secondo fattore)
level-3 = Livello 3 (chiave su dispositivo o carta)
level-1-short = Livello 1
level-2-short = Livello 2
level-3-short = Livello 3

value-yes = sì
value-no = no
value-female = femminile
value-male = maschile
value-cartaIdentita = carta d’identità
value-passaporto = passaporto
value-patenteGuida = patente di guida

form-post-title = Passaggio a { $rp }
form-post-text = La pagina successiva si apre da sola. Se non accade entro pochi secondi, prema il pulsante.
form-post-button = Prosegui

home-title = Accesso con { $brand }
home-what = Questo è il servizio di autenticazione { $brand } di { $organization }. Verifica la Sua identità quando accede ai servizi in rete di amministrazioni e imprese aderenti.
home-how = Per accedere a un servizio, parta sempre dal sito del servizio stesso e scelga l’accesso con la Sua identità digitale.
home-history-title = I Suoi accessi
home-history-text = Può consultare in ogni momento a quali servizi ha avuto accesso e quali dati sono stati comunicati, e revocare un’autorizzazione.
home-history-button = Consulta i Suoi accessi
home-issuer = Identificativo di questo servizio:
home-metadata = Metadati per gli sviluppatori
