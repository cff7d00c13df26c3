//! The file that a script of `package.json` starts with Node.js.

use serde_json::Value;
use std::path::PathBuf;

/// Scripts that one may lead to: `npm start` that runs `npm run serve`.
const SCRIPTS_MAX: usize = 8;
/// Programs that start a file as Node.js does.
const RUNNERS: [&str; 14] = [
    "node",
    "nodejs",
    "bun",
    "tsx",
    "ts-node",
    "ts-node-esm",
    "ts-node-dev",
    "tsnd",
    "swc-node",
    "babel-node",
    "nodemon",
    "node-dev",
    "pm2-runtime",
    "pm2",
];
/// Words of theirs that stand before the file.
const COMMANDS: [&str; 3] = ["start", "watch", "run"];
/// Shell commands after which the next ones run in another folder.
const CHANGES_FOLDER: [&str; 2] = ["cd", "pushd"];
/// Options with which a program runs another folder's file or script.
const IN_OTHER_FOLDER: [&str; 9] =
    ["-C", "--chdir", "--cwd", "--dir", "--prefix", "-F", "--filter", "-w", "--workspace"];
/// Programs that run the command after them.
const WRAPPERS: [&str; 10] =
    ["env", "cross-env", "cross-env-shell", "dotenv", "dotenvx", "npx", "exec", "nice", "time", "sudo"];
/// Managers of packages, which run scripts by their name.
const MANAGERS: [&str; 4] = ["npm", "yarn", "pnpm", "bun"];
/// Options with a value of its own word. Those of Node.js and of the programs that start it.
const WITH_VALUE: [&str; 26] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "--title",
    "--env-file",
    "--env-file-if-exists",
    "-f",
    "-e",
    "--ext",
    "-w",
    "--watch-path",
    "-i",
    "--ignore",
    "-d",
    "--delay",
    "--signal",
    "--name",
    "-n",
    "--project",
    "-P",
    "--tsconfig",
    "--instances",
];
/// Options by which a program runs something else than a file.
const WITHOUT_FILE: [&str; 6] = ["-e", "--eval", "-p", "--print", "--test", "--run"];

/// The name of the file that a script starts, as it stands there; `None` if that is not understood.
pub(super) fn started(scripts: &Value, name: &str) -> Option<String> {
    let mut command = scripts[name].as_str()?.to_owned();
    for _ in 0..SCRIPTS_MAX {
        let (folder, last) = last_command(&command)?;
        match file_of(&last)? {
            Leads::File(file) => return Some(folder.join(file).to_string_lossy().into_owned()),
            // Those of another folder are in its own `package.json`.
            Leads::Script(name) if folder.as_os_str().is_empty() => {
                command = scripts[name.as_str()].as_str()?.to_owned();
            }
            Leads::Script(_) => return None,
        }
    }
    None
}

enum Leads {
    File(String),
    Script(String),
}

/// The words of the last command of `a && b`, and the folder that `cd` has it run in; `None` where it is not the one that goes on
/// running, or the folder is not known.
fn last_command(command: &str) -> Option<(PathBuf, Vec<String>)> {
    let words = words(command)?;
    let is_other = |word: &String| ["||", "|", "&", ";", ">", "<", "(", ")"].contains(&word.as_str());
    let mut commands: Vec<_> = words.split(|word| word == "&&").collect();
    let last = commands.pop().filter(|last| !last.iter().any(is_other))?;
    let mut folder = PathBuf::new();
    for command in commands {
        match command {
            [program, name] if changes_folder(program) && is_plain(name) => folder.push(name),
            other if other.iter().any(|word| changes_folder(word)) => return None,
            _ => {}
        }
    }
    Some((folder, last.to_vec()))
}

fn changes_folder(word: &str) -> bool {
    CHANGES_FOLDER.contains(&word)
}

/// Whether a shell reads a name as it stands there.
fn is_plain(name: &str) -> bool {
    !name.starts_with(['-', '~']) && !name.contains(['$', '`', '*', '?'])
}

/// Splits a command as a shell does: quotes hold words together, operators are words of their own. `None` where a quote is open.
fn words(command: &str) -> Option<Vec<String>> {
    let (mut found, mut word, mut quote) = (Vec::<String>::new(), None::<String>, None);
    let mut previous = ' ';
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => found.extend(word.take()),
            // `2>&1` is one word.
            (None, ';' | '&' | '|' | '(' | ')') if previous != '>' => {
                found.extend(word.take());
                match found.last_mut() {
                    Some(last) if previous == c => last.push(c),
                    _ => found.push(c.into()),
                }
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
        previous = c;
    }
    found.extend(word);
    quote.is_none().then_some(found)
}

/// What one command leads to.
fn file_of(words: &[String]) -> Option<Leads> {
    let mut words = words.iter().map(String::as_str).peekable();
    loop {
        let word = words.next()?;
        if is_assignment(word) {
            continue;
        }
        let program = word.rsplit('/').next().unwrap_or(word);
        if WRAPPERS.contains(&program) {
            skip_wrapper(program, &mut words)?;
        } else if RUNNERS.contains(&program) && !(program == "bun" && words.peek() == Some(&"run")) {
            return runs(program, words).map(|file| Leads::File(file.to_owned()));
        } else if MANAGERS.contains(&program) {
            return script_of(program, words);
        } else {
            return None;
        }
    }
}

/// `A=b`. A path with `=` in it is none.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Whether an option has a program run what another folder has.
fn leads_elsewhere(word: &str) -> bool {
    IN_OTHER_FOLDER.contains(&word.split_once('=').map_or(word, |(name, _)| name))
}

/// Leaves what is before the command that a wrapper runs; `None` where that runs in another folder.
fn skip_wrapper<'a>(
    program: &str,
    words: &mut std::iter::Peekable<impl Iterator<Item = &'a str> + Clone>,
) -> Option<()> {
    if program.starts_with("dotenv") && words.clone().any(|word| word == "--") {
        while words.next().is_some_and(|word| word != "--") {}
        return Some(());
    }
    while let Some(word) = words.next_if(|word| word.starts_with('-') || *word == "run") {
        if leads_elsewhere(word) {
            return None;
        }
        if WITH_VALUE.contains(&word) {
            words.next();
        }
    }
    Some(())
}

/// The first word that is no option of the program.
fn runs<'a>(program: &str, mut words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut has_command = false;
    while let Some(word) = words.next() {
        // The endings that nodemon watches are an option of the name by which Node.js runs a text.
        if word.starts_with("--cwd") || WITHOUT_FILE.contains(&word) && program != "nodemon" {
            return None;
        }
        if WITH_VALUE.contains(&word) {
            words.next();
        } else if !has_command && program != "node" && COMMANDS.contains(&word) {
            has_command = true;
        } else if !word.starts_with('-') {
            return Some(word);
        }
    }
    None
}

/// `npm start`, `npm run NAME`, `yarn NAME`.
fn script_of<'a>(program: &str, words: impl Iterator<Item = &'a str> + Clone) -> Option<Leads> {
    if words.clone().take_while(|word| *word != "--").any(leads_elsewhere) {
        return None;
    }
    let mut names = words.filter(|word| !word.starts_with('-'));
    let name = match names.next()? {
        "run" | "run-script" => names.next()?,
        "exec" | "dlx" => return None,
        name if program != "npm" || name == "start" => name,
        _ => return None,
    };
    Some(Leads::Script(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn start(command: &str) -> Option<String> {
        started(&json!({ "start": command, "serve": "node serve.js", "again": "npm run again" }), "start")
    }

    #[test]
    fn the_file_is_found_however_it_is_started() {
        for command in [
            "node shop.js",
            "node -r dotenv/config shop.js",
            "node --require ./a.js --require=b --env-file=.env --env-file .env --enable-source-maps shop.js --port 3",
            "node --import tsx --max-old-space-size=512 shop.js",
            "NODE_ENV=production TZ='Europe/Berlin' node shop.js",
            "env NODE_ENV=production /usr/bin/node shop.js",
            "cross-env NODE_ENV=production node shop.js",
            "dotenv -e .env -- node shop.js",
            "dotenv -e .env node shop.js",
            "dotenvx run -f .env -- node shop.js",
            "nodemon --ext js,ejs -w src shop.js",
            "nodemon -e js shop.js",
            "pm2-runtime -i 2 shop.js",
            "pm2-runtime start shop.js --name shop",
            "npm run build && node shop.js",
            "tsx watch shop.js",
            "npx tsx shop.js",
            "node_modules/.bin/ts-node --project tsconfig.json shop.js",
            "exec node \"shop.js\"",
            "bun shop.js",
        ] {
            assert_eq!(start(command).as_deref(), Some("shop.js"), "{command}");
        }
        assert_eq!(start("node 'my shop.js'").as_deref(), Some("my shop.js"));
        for command in ["npm run serve", "npm run -s serve", "yarn serve", "pnpm run serve", "bun run serve"]
        {
            assert_eq!(start(command).as_deref(), Some("serve.js"), "{command}");
        }
    }

    #[test]
    fn a_file_is_looked_for_where_the_script_goes() {
        for (command, file) in [
            ("cd server && node shop.js", Some("server/shop.js")),
            ("cd server&&node shop.js", Some("server/shop.js")),
            ("cd server && cd 'my app' && NODE_ENV=production node shop.js", Some("server/my app/shop.js")),
            ("cd web && npm run build && cd .. && node shop.js 2>&1", Some("web/../shop.js")),
            ("npm run build && pushd ./server && node shop.js", Some("./server/shop.js")),
            ("cd server && npm run serve", None),
            ("cd server && npm start", None),
            ("cd $DIR && node shop.js", None),
            ("cd ~/server && node shop.js", None),
            ("cd - && node shop.js", None),
            ("cd && node shop.js", None),
            ("cd server || true && node shop.js", None),
            ("npm run build;cd server && node shop.js", None),
            ("(cd server && node shop.js)", None),
            ("cd server; node shop.js", None),
            ("env -C server node shop.js", None),
            ("env --chdir=server node shop.js", None),
            ("pm2-runtime start --cwd server shop.js", None),
            ("npm run serve -w api", None),
            ("npm run serve --workspace=api", None),
            ("npm --prefix serve start", None),
            ("pnpm --filter serve start", None),
            ("yarn --cwd serve start", None),
        ] {
            assert_eq!(start(command).as_deref(), file, "{command}");
        }
        assert_eq!(start("npm run serve -- -w 2").as_deref(), Some("serve.js"));
    }

    #[test]
    fn what_starts_no_file_is_not_understood() {
        for command in [
            "next start",
            "vite preview",
            "node -e 'run()'",
            "node --test",
            "node",
            "npm run none",
            "npm run again",
            "npm install",
            "node a.js & node b.js",
            "node a.js&",
            "node a.js;node b.js",
            "node a.js | pino-pretty",
            "node 'open",
            "",
            "./start.sh",
        ] {
            assert_eq!(start(command), None, "{command}");
        }
    }
}
