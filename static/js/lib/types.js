// Types that several modules share. Only JSDoc comments import this file: a browser never loads it.

/** @import { BottleLayer } from '../map/bottles.js' */
/** @import { LandLayer } from '../map/land.js' */

/**
 * A position in degrees.
 * @typedef {{ latitude: number, longitude: number }} Position
 */

/**
 * A position in degrees and the address that describes it.
 * @typedef {{ formatted_address: string, latitude: number, longitude: number }} Place
 */

/**
 * An account as others see it.
 * @typedef {{ user_id: number, username: string, nickname: string, gender: string, is_guest?: boolean }} Person
 */

/**
 * The account of the session. `guest_until` is when the class of a guest ends.
 * @typedef {Person & { is_teacher?: boolean, is_operator?: boolean, password_is_one_time?: boolean,
 *   inbox?: Record<string, boolean>, guest_until?: string }} Account
 */

/**
 * A personal access token, without its secret.
 * @typedef {object} AccessToken
 * @property {number} token_id identifies the token
 * @property {string} name the name that its owner gave it
 * @property {'read' | 'full'} access the requests that it authorizes
 * @property {string} expires_at RFC 3339
 * @property {string | null} last_used_at the minute of the last use, RFC 3339
 */

/**
 * A closed bottle on the map.
 * @typedef {object} MapBottle
 * @property {number} bottle_id identifies the bottle
 * @property {number} style index of the drawing
 * @property {boolean} is_owner whether the session's account threw it
 * @property {Place} location position and address
 * @property {number} [open_within_m] the distance in metres within which others can open it
 */

/**
 * An opened bottle, or one of the session's own. `owner` is missing in the list of own bottles.
 * @typedef {object} OpenedBottle
 * @property {number} bottle_id identifies the bottle
 * @property {number} style index of the drawing
 * @property {string} content the message
 * @property {Place} location position and address
 * @property {string} created_at when it was thrown, RFC 3339
 * @property {string} [open_at] when the session's account opened it, RFC 3339
 * @property {Person} [owner] the account that threw it
 * @property {number} [openers_count] number of openers, only for its owner
 * @property {boolean} [hidden] whether a teacher hid it
 * @property {string} [expires_at] when it leaves the sea by itself, RFC 3339
 * @property {boolean} [expired] whether it has left the sea by itself
 * @property {number} [open_within_m] the distance in metres within which others can open it
 * @property {number} [replies_count] number of replies, unless it is 0
 * @property {number} [unread_count] number of replies that the session's account has not read, unless it is 0
 */

/**
 * A reply in the thread of a bottle's owner with an opener.
 * @typedef {{ reply_id: number, bottle_id: number, author: Person, content: string, created_at: string,
 *   hidden?: boolean }} Reply
 */

/**
 * An item of the inbox. `actor` is the latest opener or the author of the reply, `count` the number of openers.
 * @typedef {object} InboxItem
 * @property {number} item_id grows with time
 * @property {'opened' | 'replied' | 'hidden' | 'shown' | 'expired'} kind what happened
 * @property {number} bottle_id the bottle
 * @property {number} [reply_id] the reply that was hidden or shown, if it was not the bottle
 * @property {Person} [actor] the account that did it
 * @property {number} [count] number of openers, if there are several
 * @property {string} created_at RFC 3339
 * @property {boolean} read whether the account has seen it
 */

/**
 * The new number of openers of a bottle.
 * @typedef {{ bottle_id: number, openers_count: number }} Openers
 */

/**
 * The bottles of one square of the grid: their mean position and their number.
 * @typedef {{ latitude: number, longitude: number, count: number }} Cell
 */

/**
 * A cell as the server counts it: its middle, and the mean position of its bottles.
 * @typedef {Cell & { centroid?: { latitude: number, longitude: number } }} CountedCell
 */

/**
 * A centre and half of each side, in degrees.
 * @typedef {{ latitude: number, longitude: number, latitude_span: number, longitude_span: number }} Rectangle
 */

/**
 * The bottles of the visible rectangle: one by one, or as cells if there are too many for that or nobody is logged in.
 * `isClosed`: this server does not show counts to visitors.
 * @typedef {{ bottles: MapBottle[], cells: Cell[], total: number, isClosed?: boolean }} VisibleBottles
 */

/**
 * An account of the demo.
 * @typedef {{ username: string, password: string, nickname?: string, is_teacher?: boolean }} DemoAccount
 */

/**
 * A street map of the server: pictures, or vectors in one of two schemas.
 * @typedef {object} StreetMap
 * @property {'raster' | 'protomaps' | 'openmaptiles'} kind pictures, or the schema of vectors
 * @property {number} min_zoom the smallest zoom with tiles
 * @property {number} max_zoom the largest zoom with tiles
 * @property {string} attribution HTML
 * @property {[west: number, south: number, east: number, north: number]} bounds in degrees
 * @property {string} version changes with the file
 */

/**
 * The settings of the server that the page needs.
 * @typedef {object} Settings
 * @property {boolean} public_counts whether visitors see counts
 * @property {DemoAccount[]} demo_accounts accounts of the demo
 * @property {number} min_password_length in characters
 * @property {string | null} tile_url address of the tiles of a street map
 * @property {string} [tile_attribution] attribution of those tiles, as HTML
 * @property {StreetMap[]} [maps] the server's own street maps, the first on top
 * @property {'invite' | 'closed'} [registration] who may register, if not everyone
 * @property {boolean} [frozen] whether a teacher has frozen throwing
 * @property {string} [primary_url] the address of the primary, if the server is a standby
 * @property {boolean} [shows_messages] whether teachers show the first words of new bottles
 */

/**
 * A module of a section of the operator's page. `show` fetches what the section shows and then replaces the contents of
 * the container; the page calls it again for the same container after the connection was lost. It rejects with the
 * error of its requests, which the page explains, also after an abort. `signal` aborts when the reader leaves the
 * section or the session changes: it ends the section's requests and timers.
 * @typedef {object} AdminSection
 * @property {(container: HTMLElement, signal: AbortSignal) => Promise<void>} show shows the section or refreshes it
 */

/**
 * The state of the map page, which its parts share.
 * @typedef {object} App
 * @property {L.Map} map Leaflet's map
 * @property {LandLayer} land the base map
 * @property {BottleLayer} bottles the layer of bottles and counts
 * @property {Settings} settings the settings of the server
 * @property {VisibleBottles} visible the result of the last refresh
 * @property {Set<number>} openedIds bottles that the session's account has opened
 * @property {((latitude: number, longitude: number) => void) | null} onPick receives the next clicks on the map, if set
 * @property {EventTarget} events "refreshed" after a refresh, "settings" after a change of the settings, "login" once
 *   somebody is logged in, "item" with each new item of the inbox, "inbox" when the inbox or a thread may have changed,
 *   "seen" with a function that tells of an item whether the reader sees what it is about
 * @property {boolean} hasLink whether the page was opened by a link to a view or a bottle
 * @property {(visible: VisibleBottles) => string} describe "12 bottles in view"
 * @property {() => Promise<void>} loadSettings fetches the settings of the server
 * @property {(frozen: boolean) => void} setFrozen stores that throwing was frozen, or that the freeze has ended
 * @property {() => Promise<void>} refresh fetches and shows the bottles of the visible rectangle
 * @property {() => Rectangle} rectangle the visible rectangle
 * @property {(bottles: MapBottle[]) => void} showBottles shows these bottles instead of the visible ones
 */

export {};
