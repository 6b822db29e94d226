use std::collections::BTreeMap;
use std::sync::LazyLock;
use url::Url;

/// Making one reads every root certificate of the machine, which takes longer than a login. It keeps no connections:
/// those would belong to the runtime of the test that opened them.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
});

/// A browser without JavaScript: cookies, forms, and redirects one by one.
pub struct Browser {
    client: reqwest::Client,
    /// Cookies by name; the worlds have one host.
    pub cookies: BTreeMap<String, String>,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub url: Url,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

/// A form of a page, as a person would send it.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Browser {
    /// The client of all browsers, for requests that no browser sends.
    pub fn client() -> reqwest::Client {
        CLIENT.clone()
    }

    pub fn new() -> Self {
        Self {
            client: CLIENT.clone(),
            cookies: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Answer {
        let request = self.client.get(url);
        self.send(request).await
    }

    pub async fn post(&mut self, url: &str, fields: &[(String, String)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.post_text(url, "application/x-www-form-urlencoded", body)
            .await
    }

    pub async fn post_text(&mut self, url: &str, content_type: &str, body: String) -> Answer {
        let request = self
            .client
            .post(url)
            .header("content-type", content_type)
            .body(body);
        self.send(request).await
    }

    /// Sends a form of the page `from`.
    pub async fn submit(&mut self, from: &Answer, form: &Form) -> Answer {
        let url = from.url.join(&form.action).unwrap();
        self.post(url.as_str(), &form.fields).await
    }

    /// Follows redirects as long as they stay below `within`; returns the first answer that does not redirect there.
    pub async fn follow(&mut self, mut answer: Answer, within: &str) -> Answer {
        while let Some(next) = answer.location().filter(|next| next.starts_with(within)) {
            answer = self.get(&next).await;
        }
        answer
    }

    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> Answer {
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("cookie", pairs.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        for header in response.headers().get_all("set-cookie") {
            self.keep_cookie(header.to_str().unwrap());
        }
        Answer {
            status: response.status().as_u16(),
            url: response.url().clone(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    fn keep_cookie(&mut self, header: &str) {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let ended = parts.any(|part| part.eq_ignore_ascii_case("max-age=0"));
        if ended || value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Answer {
    /// The redirect's target, absolute.
    pub fn location(&self) -> Option<String> {
        let target = self.headers.get("location")?.to_str().unwrap();
        Some(self.url.join(target).unwrap().to_string())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("no JSON ({}): {}", self.status, self.body))
    }

    /// `error` of a JSON answer.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// `error_description` of a JSON answer.
    pub fn description(&self) -> String {
        self.json()["error_description"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// A parameter of the redirect's query.
    pub fn redirected(&self, name: &str) -> Option<String> {
        let location = Url::parse(&self.location()?).unwrap();
        location
            .query_pairs()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The form whose action contains `action`, with its hidden fields.
    pub fn form(&self, action: &str) -> Form {
        self.forms()
            .into_iter()
            .find(|form| form.action.contains(action))
            .unwrap_or_else(|| panic!("no form {action} ({}): {}", self.status, self.body))
    }

    pub fn forms(&self) -> Vec<Form> {
        self.body
            .split("<form")
            .skip(1)
            .map(|rest| {
                let whole = rest.split("</form>").next().unwrap();
                let fields = whole
                    .split("<input")
                    .skip(1)
                    .map(|input| input.split('>').next().unwrap())
                    .filter(|input| input.contains("type=\"hidden\""))
                    .map(|input| {
                        (
                            attribute(input, "name").unwrap(),
                            attribute(input, "value").unwrap_or_default(),
                        )
                    })
                    .collect();
                let tag = whole.split('>').next().unwrap();
                Form {
                    action: attribute(tag, "action").unwrap_or_default(),
                    fields,
                }
            })
            .collect()
    }
}

impl Form {
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let value = tag[start..].split('"').next()?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&#x27;", "'")
            .replace("&#x2F;", "/")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}
