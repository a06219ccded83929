// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IJobs} from "../interfaces/IJobs.sol";
import {Roles} from "../libraries/Roles.sol";
import {JobViews} from "./JobViews.sol";

/// @title Who takes part in a job, with what bond.
abstract contract Enrolment is JobViews {
    uint8 private constant PRIVATE = 2;
    // One bit each in a word.
    uint256 private constant MAX_VALIDATORS = 64;
    uint256 private constant MAX_WITNESSES = 256;

    /// @inheritdoc IJobs
    function enrol(uint256 jobId, uint32 role, bytes32 onionHead) external nonReentrant {
        Status storage job = _status[jobId];
        _checkOpenFor(jobId, job.phase, role);
        address node = _registry.resolve(msg.sender);
        if (node == address(0)) revert NotNode(msg.sender);
        if (_registry.rolesOf(node) & role == 0) revert RoleMissing(node, role);
        if (_enrolmentOf[jobId][role][node] != 0) revert AlreadyEnrolled(jobId, node, role);
        if (_expelledAs[jobId][node] != 0) revert NodeExpelled(jobId, node);

        JobTerms storage terms = _terms[jobId];
        address[] storage members = _members[jobId][role];
        uint128 bond;
        if (role == Roles.WORKER) {
            if (terms.trustClass == PRIVATE) _checkDataOwner(jobId, node);
            job.workers += 1;
            bond = terms.workerBond;
        } else if (role == Roles.VALIDATOR) {
            if (members.length == MAX_VALIDATORS) revert EnrolmentFull(jobId, role);
            if (onionHead == 0) revert OnionMissing();
            _onionOf[jobId][node] = onionHead;
            job.validators += 1;
            bond = terms.validatorBond;
        } else {
            if (members.length == MAX_WITNESSES) revert EnrolmentFull(jobId, role);
            job.witnesses += 1;
            bond = terms.witnessBond;
        }
        members.push(node);
        // Positions start at one, so that zero means absent; far fewer than 2^32 fit in any chain's blocks.
        uint32 position = uint32(members.length);
        _enrolmentOf[jobId][role][node] = position;
        emit Enrolled(jobId, node, role, position - 1, onionHead);
        if (bond > 0) _registry.lock(node, taskOf(jobId, role), bond);
    }

    /// @inheritdoc IJobs
    function release(uint256 jobId, address node, uint32 role) external nonReentrant returns (uint256 amount) {
        Phase phase = _status[jobId].phase;
        bool over = phase == Phase.Done || phase == Phase.Cancelled;
        if (!over || _enrolmentOf[jobId][role][node] == 0 || _released[jobId][role][node]) {
            revert NotReleasable(jobId, node, role);
        }
        _released[jobId][role][node] = true;
        amount = _registry.unlock(node, taskOf(jobId, role));
        emit Released(jobId, node, role, amount);
    }

    function _checkOpenFor(uint256 jobId, Phase phase, uint32 role) private pure {
        if (phase == Phase.None) revert UnknownJob(jobId);
        if (role != Roles.WORKER && role != Roles.VALIDATOR && role != Roles.WITNESS) revert RoleInvalid(role);
        bool over = phase == Phase.Done || phase == Phase.Cancelled;
        if (over || (role != Roles.WORKER && phase != Phase.Enrolling)) revert EnrolmentClosed(jobId, role);
    }

    function _checkDataOwner(uint256 jobId, address node) private view {
        uint64[] storage versions = _terms[jobId].dataVersions;
        for (uint256 i = 0; i < versions.length; ++i) {
            if (IERC721(address(_assets)).ownerOf(_assets.assetOf(versions[i])) == node) return;
        }
        revert NotDataOwner(jobId, node);
    }
}
