import Contracts

/// What the codes of problems mean and what helps, for people: one page for each, and one with all of them.
struct ProblemPage {
    let style: String

    func page(of code: Problem.Code) -> String {
        page(code.title, "\(section(on: code))<p><a href=\"/problems\">All codes</a></p>")
    }

    var index: String {
        page("Problems", Problem.Code.allCases.map(section).joined())
    }

    private func section(on code: Problem.Code) -> String {
        """
        <article aria-labelledby="\(code.rawValue)">
        <h2 id="\(code.rawValue)"><a href="/problems/\(code.rawValue)"><code>\(code.rawValue)</code></a></h2>
        <p>\(HTML.escaped(code.title)) (HTTP \(code.status)).</p>
        <p>\(HTML.inline(code.meaning))</p>
        <p>\(HTML.inline(code.advice))</p>
        </article>
        """
    }

    private func page(_ title: String, _ content: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Turnstile: \(HTML.escaped(title))</title>
        <style>\(style)</style>
        </head>
        <body>
        <main id="content">
        <h1>\(HTML.escaped(title))</h1>
        \(content)
        <p>The routes: <a href="/docs">docs</a>.</p>
        </main>
        </body>
        </html>

        """
    }
}
