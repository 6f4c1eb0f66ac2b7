import Foundation
import Testing

@testable import turnstile

/// Which written address and key the command line believes.
@Suite struct `The surroundings of a command` {
    /// A checkout with a `.run/env` in a folder of its own.
    private struct Checkout {
        let root: URL
        let run: URL
        let file: URL

        init(in parent: URL? = nil) throws {
            let parent = parent ?? FileManager.default.temporaryDirectory
            root = parent.appending(path: "checkout-\(UUID().uuidString)").resolvingSymlinksInPath()
            run = root.appending(path: ".run")
            file = run.appending(path: "env")
            let manager = FileManager.default
            for folder in ["compose", "deep/down", ".run"] {
                try manager.createDirectory(at: root.appending(path: folder), withIntermediateDirectories: true)
            }
            try Data().write(to: root.appending(path: "Package.swift"))
            try Data().write(to: root.appending(path: "compose/dev"))
            try Data("export TURNSTILE_URL='http://written'\nexport OPERATOR_KEY='k'\n".utf8).write(to: file)
            try allow(0o755, run)
            try allow(0o600, file)
        }

        func allow(_ mode: Int, _ place: URL) throws {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place.path)
        }

        func remove() throws { try FileManager.default.removeItem(at: root) }
    }

    private func surroundings(_ folder: URL, _ environment: [String: String] = [:], program: URL? = nil) -> Surroundings
    {
        Surroundings(environment: environment, from: folder.path, program: program?.path ?? "/bin/sh")
    }

    @Test func `are those of the checkout, from any folder in it, and the environment comes first`() throws {
        let checkout = try Checkout()
        for folder in [checkout.root, checkout.root.appending(path: "deep/down")] {
            #expect(surroundings(folder)["TURNSTILE_URL"] == "http://written")
            #expect(surroundings(folder, ["TURNSTILE_URL": "http://own"])["TURNSTILE_URL"] == "http://own")
            #expect(surroundings(folder, ["TURNSTILE_URL": ""])["TURNSTILE_URL"] == "http://written")
        }
        #expect(surroundings(checkout.root.deletingLastPathComponent())["TURNSTILE_URL"] == nil)
        try checkout.remove()
    }

    @Test func `are those of the checkout that the program was built in, where there is none around`() throws {
        let checkout = try Checkout()
        let program = checkout.root.appending(path: "deep/down/turnstile")
        #expect(surroundings(URL(filePath: "/"), program: program)["TURNSTILE_URL"] == "http://written")
        try checkout.remove()
    }

    @Test func `are never read from above the checkout`() throws {
        let outer = try Checkout()
        let inner = try Checkout(in: outer.root)
        try FileManager.default.removeItem(at: inner.file)
        #expect(surroundings(inner.root.appending(path: "deep/down"))["TURNSTILE_URL"] == nil)
        // A folder that only has the file is no checkout.
        let bare = outer.root.appending(path: "bare")
        try FileManager.default.createDirectory(
            at: bare.appending(path: ".run"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: outer.file, to: bare.appending(path: ".run/env"))
        try FileManager.default.removeItem(at: outer.root.appending(path: "Package.swift"))
        #expect(surroundings(bare)["TURNSTILE_URL"] == nil)
        try outer.remove()
    }

    @Test(arguments: [0o620, 0o602, 0o666])
    func `are not believed where others can write the file`(mode: Int) throws {
        let checkout = try Checkout()
        try checkout.allow(mode, checkout.file)
        let found = surroundings(checkout.root)
        #expect(found["OPERATOR_KEY"] == nil)
        #expect(found.refusals.count == 1)
        #expect(found.refusals.first?.contains("chmod go-w") == true)
        try checkout.remove()
    }

    @Test func `are not believed where others can write the folder`() throws {
        let checkout = try Checkout()
        try checkout.allow(0o777, checkout.run)
        #expect(surroundings(checkout.root)["OPERATOR_KEY"] == nil)
        #expect(surroundings(checkout.root).refusals.count == 1)
        try checkout.remove()
    }

    @Test func `are not believed behind a link`() throws {
        let checkout = try Checkout()
        let elsewhere = checkout.root.appending(path: "deep/env")
        try FileManager.default.moveItem(at: checkout.file, to: elsewhere)
        try FileManager.default.createSymbolicLink(at: checkout.file, withDestinationURL: elsewhere)
        #expect(surroundings(checkout.root)["OPERATOR_KEY"] == nil)
        #expect(surroundings(checkout.root).refusals.count == 1)
        try checkout.remove()
    }

    /// Only root can give a file away.
    @Test(.enabled(if: geteuid() == 0))
    func `are not believed where they belong to another user`() throws {
        for isFile in [true, false] {
            let checkout = try Checkout()
            try FileManager.default.setAttributes(
                [.ownerAccountID: 65_534], ofItemAtPath: (isFile ? checkout.file : checkout.run).path)
            #expect(surroundings(checkout.root)["OPERATOR_KEY"] == nil)
            #expect(surroundings(checkout.root).refusals.first?.contains("another user") == true)
            try checkout.remove()
        }
    }
}
