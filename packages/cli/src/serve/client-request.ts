import { IncomingMessage } from "node:http";
import { asksForWebSocket } from "./tunnel.js";

/**
 * A request whose connection is given away for a WebSocket, and for nothing else.
 *
 * For any other upgrade, and for CONNECT, Node would let go of the connection as well: an
 * answer would then be sent without its care, and a body could not be read.
 */
export class ClientRequest extends IncomingMessage {
  /** Whether it asked for another protocol; what follows on its connection may be in that. */
  asksForUpgrade = false;

  /** Is set by Node as it reads the request, and read by it when all fields are there. */
  get upgrade(): boolean {
    return this.asksForUpgrade && asksForWebSocket(this);
  }

  set upgrade(asks: boolean | null) {
    this.asksForUpgrade = asks === true;
  }
}
