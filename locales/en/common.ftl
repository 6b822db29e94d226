skip-to-content = Skip to main content
language-nav = Language
main-nav = Main navigation
nav-home = Home
nav-history = Your logins
brand-tagline = Digital identity login
development-notice = Development environment: this is not a real service. Do not enter real personal data.
signed-in-as = Logged in as { $name }
footer-policy = Privacy notice
footer-reference = Reference code of this page:
error-prefix = Error:
cancel = Cancel
username = Username
password = Password
rp-policy = Privacy notice of the service
opens-new-tab = (opens in a new tab)
try-again = Try again
back-to-rp = Back to { $rp }

level-1 = Level 1 (password)
level-2 = Level 2 (password and second factor)
level-3 = Level 3 (key on a device or card)
level-1-short = Level 1
level-2-short = Level 2
level-3-short = Level 3

value-yes = yes
value-no = no
value-female = female
value-male = male
value-cartaIdentita = identity card
value-passaporto = passport
value-patenteGuida = driving licence

form-post-title = Going on to { $rp }
form-post-text = The next page opens by itself. If it has not opened within a few seconds, press the button.
form-post-button = Continue

home-title = Login with { $brand }
home-what = This is the { $brand } authentication service of { $organization }. It verifies your identity when you access online services of participating public bodies and businesses.
home-how = To access a service, always start from the website of that service and choose to log in with your digital identity.
home-history-title = Your logins
home-history-text = At any time you can see which services you have accessed and which data they were given, and withdraw an authorisation.
home-history-button = See your logins
home-issuer = Identifier of this service:
home-metadata = Metadata for developers
