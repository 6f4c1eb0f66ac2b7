import Chance
import Connections

/// How likely each kind of trouble is while a simulation's storm lasts.
package struct Weather: Sendable, Equatable {
    /// A call to the database ends with a lost connection before it has any effect.
    package var lostStatement = 0.0
    /// A commit's answer is lost; whether it happened is open.
    package var unknownCommit = 0.0
    package var deadlock = 0.0
    /// A call to the broker ends with a lost connection, somewhere before, in or after its effect.
    package var lostBroker = 0.0
    /// The broker does not take a message.
    package var nack = 0.0
    package var duplicate = 0.0
    package var reorder = 0.0
    package var delay = 0.0
    /// The cache fails, or says what is not so.
    package var brokenCache = 0.0
    package var lyingCache = 0.0
    /// The provider's answer does not come, before or after the effect.
    package var silentProvider = 0.0
    /// A letter cannot be delivered this time.
    package var failingSink = 0.0
    /// How many processes die, each in the middle of something.
    package var crashes = 0
    /// How many processes are asked to stop and started again.
    package var stops = 0
    /// How often the broker loses everything.
    package var wipes = 0
    /// How often a database restarts.
    package var restarts = 0
    /// How often the broker takes no messages for a while.
    package var blocks = 0
    /// How often nobody can reach the payment provider for a while.
    package var outages = 0

    package init() {}

    /// Whether the broker may forget what it has confirmed.
    package var takesMessagesAway: Bool { wipes > 0 || outages > 0 }

    package static let calm = Weather()

    /// A mixture that follows from chance: most seeds have a few kinds of trouble, some have all, few have none.
    package static func random(using chance: inout SeededChance) -> Weather {
        var weather = Weather()
        let severity = Double.random(in: 0...1, using: &chance)
        func likelihood(upTo limit: Double, _ chance: inout SeededChance) -> Double {
            Bool.random(using: &chance) ? limit * severity * Double.random(in: 0...1, using: &chance) : 0
        }
        func count(upTo limit: Int, _ chance: inout SeededChance) -> Int {
            Bool.random(using: &chance) ? Int.random(in: 0...limit, using: &chance) : 0
        }
        weather.lostStatement = likelihood(upTo: 0.05, &chance)
        weather.unknownCommit = likelihood(upTo: 0.2, &chance)
        weather.deadlock = likelihood(upTo: 0.05, &chance)
        weather.lostBroker = likelihood(upTo: 0.1, &chance)
        weather.nack = likelihood(upTo: 0.1, &chance)
        weather.duplicate = likelihood(upTo: 0.3, &chance)
        weather.reorder = likelihood(upTo: 0.5, &chance)
        weather.delay = likelihood(upTo: 0.4, &chance)
        weather.brokenCache = likelihood(upTo: 0.5, &chance)
        weather.lyingCache = likelihood(upTo: 0.5, &chance)
        weather.silentProvider = likelihood(upTo: 0.4, &chance)
        weather.failingSink = likelihood(upTo: 0.4, &chance)
        weather.crashes = count(upTo: 6, &chance)
        weather.stops = count(upTo: 3, &chance)
        weather.wipes = count(upTo: 2, &chance)
        weather.restarts = count(upTo: 2, &chance)
        weather.blocks = count(upTo: 2, &chance)
        weather.outages = count(upTo: 2, &chance)
        return weather
    }
}
