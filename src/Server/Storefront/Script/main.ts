// What a page needs of the script follows from what kind of page it is.
import * as clock from "./clock.ts";
import { showCheckout } from "./checkout.ts";
import { showList } from "./list.ts";
import { comeAgain, runCountdown, showLive } from "./live.ts";
import { showOrder } from "./order.ts";
import { jitter, kind, one } from "./page.ts";
import { showSale } from "./sale.ts";

switch (kind) {
  case "list":
    showList();
    break;
  case "sale":
    void showSale();
    break;
  case "checkout":
    void showCheckout();
    break;
  case "order":
    showLive();
    void showOrder();
    break;
  case "busy":
    // Between 3 and 8 s: a crowd does not come back as one.
    comeAgain(location.pathname + location.search, jitter(3_000, 5 / 3));
    break;
  default:
    showLive();
    if (one("[data-countdown]")) void clock.sample().then(runCountdown);
}
