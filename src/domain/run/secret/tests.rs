//! Which texts are masked, and which are left alone.

use super::*;

#[test]
fn what_looks_like_a_secret_goes_and_the_rest_stays() {
    let cases = [
        ("key sk-ant-api03-abcdefgh done", "key [secret] done"),
        ("ANTHROPIC_API_KEY=sk-ant-abcdefghij", "ANTHROPIC_API_KEY=[secret]"),
        ("\"password\": \"hunter2hunter2\", \"a\": 1", "\"password\": \"[secret]\", \"a\": 1"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ,", "[secret],"),
        ("the password is long, and secrets are kept", "the password is long, and secrets are kept"),
        ("tokens: 12345678", "tokens: 12345678"),
        ("postgres://u:hunter2@db/x and more", "postgres://u:[secret]@db/x and more"),
        ("https://user:pa:55@host:80/x?a=b@c", "https://user:[secret]@host:80/x?a=b@c"),
        ("https://host:80/a@b http://you@host", "https://host:80/a@b http://you@host"),
        ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key=[secret]"),
        ("GITLAB_TOKEN=abcdef123", "GITLAB_TOKEN=[secret]"),
        ("Authorization: Basic dXNlcjpwYXNz ok\nnext", "Authorization: [secret]\nnext"),
        ("-H \"Cookie: session=abc; b=c\" x", "-H \"Cookie: [secret]\" x"),
        ("token: abcdefgh12345678", "token: [secret]"),
        ("MYSQL_PWD=p4ssw0rd mysql", "MYSQL_PWD=[secret] mysql"),
        ("npm_0123456789abcdefghijABCDEFGHIJ012345", "[secret]"),
        ("an authorization is needed, and cookies", "an authorization is needed, and cookies"),
        ("Grüße sk-", "Grüße sk-"),
        ("Bearer abcdefghij0123456789 x", "Bearer [secret] x"),
        ("the password is hunter2hunter2.", "the password is [secret]"),
        ("the password is documented", "the password is documented"),
        ("DB_PASS=abcdef12 x", "DB_PASS=[secret] x"),
        ("curl -H 'x-api-key: abcdef12'", "curl -H 'x-api-key: [secret]'"),
        ("mysql -u root -phunter22 db", "mysql -u root -p[secret] db"),
        ("docker login -u a -p hunter22", "docker login -u a -p [secret]"),
        ("sshpass -p hunter22 ssh x", "sshpass -p [secret] ssh x"),
        ("{\"auth\":\"YWJjZGVmZ2g=\"}", "{\"auth\":\"[secret]\"}"),
        ("https://hooks.slack.com/services/T012/B012/abcdefghijklmnop", "https://[secret]"),
        ("?sv=2022&sig=abcdefgh%3D", "?sv=2022&sig=[secret]"),
        ("key-0123456789abcdef0123456789abcdef", "[secret]"),
        ("key-value stores and whsec_0123456789abcdefghij", "key-value stores and [secret]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx", "[secret]\nx"),
        (
            "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nabc",
            "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n[secret]",
        ),
    ];
    for (text, masked) in cases {
        assert_eq!(mask(text, &[]), masked);
    }
}

/// What a secret of its maker looks like, put together here so that no scanner takes this file for a leak.
fn made(start: &str, length: usize) -> String {
    start.chars().chain("a1B2c3D4e5F6g7H8i9J0".chars().cycle().take(length)).collect()
}

#[test]
fn the_secrets_of_well_known_makers_go_wherever_they_stand() {
    let starts = [
        "GOCSPX-",
        "ATATT3",
        "PMAK-",
        "rubygems_",
        "dp.pt.",
        "pul-",
        "sbp_",
        "xai-",
        "gsk_",
        "r8_",
        "pplx-",
        "tvly-",
        "lsv2_pt_",
        "pat-na1-",
        "HRKU-",
        "ops_",
        "ghp_",
        "sk-ant-",
        "npm_",
        "glpat-",
    ];
    for start in starts {
        let secret = made(start, 64);
        for (before, after) in
            [("it is ", " here"), ("see (", ")."), ("x=\"", "\""), ("https://a.test/b/", "\n")]
        {
            let text = format!("{before}{secret}{after}");
            assert!(!mask(&text, &[]).contains(&secret), "{text}");
        }
    }
    let telegram = format!("123456789:AA{}", made("", 33));
    let discord = format!("{}.{}.{}", made("M", 23), made("G", 5), made("", 30));
    assert_eq!(mask(&format!("bot {telegram} and {discord}, then"), &[]), "bot [secret] and [secret], then");
}

#[test]
fn a_secret_is_known_by_what_stands_before_it() {
    let cases = [
        ("curl -u admin:hunter https://a.test", "curl -u admin:[secret] https://a.test"),
        ("curl --user 'ada:hunter22' x", "curl --user 'ada:[secret]' x"),
        ("Server=db;Uid=sa;Pwd=hunter22;", "Server=db;Uid=sa;Pwd=[secret];"),
        ("ADMIN_PW=correcthorse ./run", "ADMIN_PW=[secret] ./run"),
        ("deploy --token abc123def456 --yes", "deploy --token [secret] --yes"),
        ("deploy --api-key=abc123def456", "deploy --api-key=[secret]"),
        ("CLOUDFLARE_API_TOKEN v7mXq2LrTz0p", "CLOUDFLARE_API_TOKEN [secret]"),
        ("ENV DB_PASSWORD hunter22hunter", "ENV DB_PASSWORD [secret]"),
        ("export SIGNING_KEY=Zm9vYmFyYmF6cXV4MTIz", "export SIGNING_KEY=[secret]"),
        ("'password' => 'correcthorse',", "'password' => '[secret]',"),
        ("db:\n  password: correcthorse\n  port: 1", "db:\n  password: [secret]\n  port: 1"),
        ("{\\\"token\\\": \\\"abc123def456\\\"}", "{\\\"token\\\": \\\"[secret]\\\"}"),
        ("the passphrase is hunter22hunter", "the passphrase is [secret]"),
        ("export DB_PASS='my S3cret pass'", "export DB_PASS='[secret]'"),
        ("PGPASSWORD=\"correct horse battery\" psql", "PGPASSWORD=\"[secret]\" psql"),
        ("API_TOKEN='abc 123 def' ./run", "API_TOKEN='[secret]' ./run"),
        ("Authorization: token abc123def456", "Authorization: [secret]"),
    ];
    for (text, masked) in cases {
        assert_eq!(mask(text, &[]), masked);
    }
}

#[test]
fn a_secret_of_several_words_goes_as_a_whole() {
    let cases = [
        ("password: \"correct horse battery staple\"", "password: \"[secret]\""),
        ("password = 'hunter22 and more of it'", "password = '[secret]'"),
        ("secret = \"hunter22 blue moon\" # mine", "secret = \"[secret]\" # mine"),
        ("token: \"abc123def456 second half\", x", "token: \"[secret]\", x"),
        ("{\"passphrase\": \"correct horse battery\", \"a\": 1}", "{\"passphrase\": \"[secret]\", \"a\": 1}"),
        ("the password is \"hunter22hunter blue moon\".", "the password is \"[secret]\"."),
        ("db_password: \"it's my S3cret pass\"", "db_password: \"[secret]\""),
        ("password: \"a b\\\" S3cret more\"", "password: \"[secret]\""),
        ("deploy --password \"correct horse battery\" --yes", "deploy --password \"[secret]\" --yes"),
        ("gpg --passphrase 'hunter22hunter blue' -d x", "gpg --passphrase '[secret]' -d x"),
    ];
    for (text, masked) in cases {
        assert_eq!(mask(text, &[]), masked);
    }
}

#[test]
fn a_secret_of_letters_goes_where_a_command_gives_it() {
    let cases = [
        ("deploy --password hunterhunter", "deploy --password [secret]"),
        ("deploy --password hunterhunter --yes now", "deploy --password [secret] --yes now"),
        (
            "$ gpg --batch --passphrase correcthorse -d file.gpg",
            "$ gpg --batch --passphrase [secret] -d file.gpg",
        ),
        ("docker login -u ada -p secretword registry.test", "docker login -u ada -p [secret] registry.test"),
        ("sshpass -p secretword ssh ada@host", "sshpass -p [secret] ssh ada@host"),
        ("mysql -u root -psecretword shop", "mysql -u root -p[secret] shop"),
        ("redis-cli -a secretword ping", "redis-cli -a [secret] ping"),
        (
            "git commit -m \"use the flag\" && x --password hunterhunter",
            "git commit -m \"use the flag\" && x --password [secret]",
        ),
    ];
    for (text, masked) in cases {
        assert_eq!(mask(text, &[]), masked);
    }
}

#[test]
fn sentences_and_labels_beside_such_names_stay() {
    let page = r#"
the password: field is empty
password: "must not be empty", secret: 'set by the operator', token: "the next one of the line"
password: "Enter a password", passphrase = "Forgot your passphrase?", label_password = "New password"
password: "Passwords do not match"
With --password interactively it asks; the flag --password overrides what is in the file.
mysql -u root -p shopdatabase
mysql -u root -p
docker login -p reads it from the terminal, which is not safe
swift deploy --password PASSWORD --passphrase <phrase> --pass $WORD
password = "" if user is None else "hello to all of them"
token: "first second third", secret = "name of a thing"
password = prompt("Database password: ") or settings.password
"#;
    for line in page.lines() {
        assert_eq!(mask(line, &[]), line);
    }
}

/// Programs and texts speak of tokens, keys and passwords all the time.
#[test]
fn a_page_of_ordinary_code_and_text_stays_as_it_is() {
    let page = r#"
let token = parser.next_token();
let secret = Secret::from_env("API_SECRET")?;
const token = await getToken(user);
let token: Option<Token> = None;
pub struct Login { password: String, token: &'a str, api_key: Option<String> }
interface Login { password: string; token: string }
type Login = { password: string, accessToken: string }
def login(user, password=None, token="", secret=settings.SECRET_KEY):
    self.password = hash_password(password)
    self.token = token or self.session.token
    if password == "": raise ValueError("password: must not be empty")
password = "the password is wrong"; PASSWORD = "Enter your password"; TOKEN="a word of the language"
API_KEY=$API_KEY GITHUB_TOKEN=${{ secrets.GITHUB_TOKEN }} PASSWORD="$PASSWORD" DB_PASS=<password> ./run
password: ${DB_PASSWORD}
token = os.environ["GITHUB_TOKEN"]
secret: process.env.SESSION_SECRET,
<input type="password" name="password" placeholder="Your password" autocomplete="current-password">
sort_key = "created_at"; primary_key=True; foreign_key: user_id; cache_key = f"user:{id}"; key: "ArrowLeft2"
docker run -u 1000:1000 http-server; sudo -u postgres psql; chown -R node:node .; mysql -u root -p
PWD=/srv/ada/project OLDPWD=/tmp/work1/x
swift deploy --token TOKEN --password-stdin --key ~/.ssh/id_ed25519 --secret name
Use the --token option2 to pass it; --password prompts. GITHUB_TOKEN is read by the action; set NPM_TOKEN before.
match token { Token::Word(word) => word, Token::Number(n) => n.to_string() }
enum Token { Ident, Number } // token: the next one; tokens: 12345678, max_tokens=4096, token_count: 123456
{"type": "token", "token": "identifier", "secretName": "db-credentials", "key": "value1"}
The password is documented, the key is in the vault, the secret is out, and a bearer of bad news came.
The token is refreshed every 15 minutes; key is user_id; the token expires2 soon.
cookie = parse(request.headers.get("cookie")); authorization: string; "Cookie: " + value; Authorization: Bearer <token>
headers: { Authorization: `Bearer ${token}` } authorization = header.split(" ")
commit 3f2a9c1d7e8b4a5c6d7e8f901234567890abcdef; sha256:9f86d081884c7d659a2feaa0c55ad015; ops_team; r8_g8_b8
sk-learn-contrib-estimators-in-a-row, pat-na1-wherever, gsk_settings_schema_key_for_all_the_users
private_key: PathBuf, access_key = config.access_key, ssh_key: "~/.ssh/id_rsa", passwd=/etc/passwd
https://a.test/?token_type=bearer&sort_key=name, postgres://localhost:5432/db, bypass: always
"#;
    for line in page.lines() {
        assert_eq!(mask(line, &[]), line);
    }
    assert_eq!(mask(page, &[]), page);
}

#[test]
fn the_own_secrets_go_whatever_they_look_like() {
    assert_eq!(
        mask("say plain-old-word twice: plain-old-word", &["plain-old-word".to_owned()]),
        "say [secret] twice: [secret]"
    );
    assert_eq!(mask("short", &["sho".to_owned()]), "short");
}
