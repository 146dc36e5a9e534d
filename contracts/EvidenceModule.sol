// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EvidenceFall} from "./EvidenceFall.sol";
import {Inheritance} from "./Inheritance.sol";
import {Keys} from "./Keys.sol";
import {Module} from "./Module.sol";
import {Views} from "./Views.sol";

/// @title The module for what follows the start of a standard exit: fallen evidence, settlement, credits; and for
/// keys and views, which no hot path needs
/// @dev What it does not know itself it hands on to the proof module, in the same storage: the root contract has no room to choose.
contract EvidenceModule is EvidenceFall, Inheritance, Keys, Views {
    address public immutable PROOFS;

    constructor(Parameters memory p, address proofs) Module(p) {
        if (Module(proofs).PARAMETERS_HASH() != PARAMETERS_HASH) revert ModuleMismatch(proofs);
        PROOFS = proofs;
    }

    fallback() external onlyDelegated {
        address module = PROOFS;
        // Assembly: hands the whole reply through, which Solidity has no words for.
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), module, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
